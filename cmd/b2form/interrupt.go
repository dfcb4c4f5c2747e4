package main

import (
	"context"
	"os"
	"slices"
)

// withInterrupt gives a context that ends with the first interrupt. The second
// one, if it is Ctrl-C, SIGTERM or SIGQUIT, ends the program on the spot. stop must be called when the command is
// done: then one signal ends the program, whatever else it waits for.
func (p *program) withInterrupt(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	p.untilInterrupt = ctx
	done := make(chan struct{})
	signals, stopSignals := p.interruptSignals()
	go p.watchSignals(signals, cancel, done)
	return ctx, func() {
		stopSignals(ctx.Err() != nil)
		cancel()
		close(done)
	}
}

func (p *program) watchSignals(signals <-chan os.Signal, cancel func(), done <-chan struct{}) {
	select {
	case <-done:
		return
	case <-signals:
	}
	cancel() // before it is said: who reads that may rely on it
	p.warnOfInterrupt("\nInterrupt received.\nPlease wait for b2form to exit or data loss may occur.\nGracefully shutting down...\n")
	for {
		select {
		case <-done:
			return
		case s := <-signals:
			if slices.Contains(otherFatalSignals(), s) {
				continue // some are sent again and again: shell and system both tell of a terminal that is gone
			}
			p.warnOfInterrupt("\nTwo interrupts received. Exiting immediately. Note that data loss may have occurred.")
			p.exit(1)
			return
		}
	}
}

// warnOfInterrupt says what comes of an interrupt, to those too who want to hear warnings only.
func (p *program) warnOfInterrupt(text string) {
	p.ui.Note(text)
	if p.quiet && !p.json {
		p.printToStderr(text)
	}
}
