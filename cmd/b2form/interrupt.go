package main

import "context"

// interruptible gives a context that ends with the first interrupt. The second
// one ends the program on the spot.
func (p *program) interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	signals := p.interrupts()
	go func() {
		<-signals
		p.face.Note("\nInterrupt received.\nPlease wait for b2form to exit or data loss may occur.\nGracefully shutting down...\n")
		cancel()
		<-signals
		p.face.Note("\nTwo interrupts received. Exiting immediately. Note that data loss may have occurred.")
		p.exit(1)
	}()
	return ctx, cancel
}
