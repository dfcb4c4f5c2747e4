package apply

import "b2form/plan"

// An outcome is what became of a step.
type outcome int

// The outcomes. What needs a step begins only after it is done, and is held where it is held.
const (
	notBegun outcome = iota
	done
	failed
	held // nothing is wrong, but it is left to the next run: what it needs was not confirmed
)

// An executor carries steps out, each as soon as what it needs is done. It
// decides nothing about their order.
type executor struct {
	steps []plan.Step
	most  int // steps under way at once, at least 1; those that verify, forget or only wait do not count
	// announce makes creates known before they begin: those that are ready, in one
	// call. After an error none of them begins. One call at a time.
	announce func(creates []int) error
	// do carries out a step. It may call free, once, when all that is left is to
	// wait: from then on another step may take its place.
	do func(step int, free func()) outcome
	// mayBegin reports whether a further step of an op may begin. Once false, it stays
	// false.
	mayBegin func(plan.Op) bool
}

// A message tells the loop what became of something that it began.
type message struct {
	step      int
	outcome   outcome // notBegun: the step only leaves its place
	announced []int   // instead of all that
	err       error   // of announcing
}

// An execution is one run of an executor. Only its loop touches it.
type execution struct {
	*executor
	outcomes   []outcome
	open       []int   // per step, how many of its needs are not done
	users      [][]int // per step, who needs it
	ready      []int   // may begin, as soon as there is a place
	verifying  []int   // may begin
	forgetting []int   // may begin
	creating   []int   // may begin, as soon as they are announced
	announcing bool
	inPlace    []bool // per step under way, whether it counts
	busy       int    // steps that count
	aside      int    // steps under way that do not
	messages   chan message
}

// run returns when nothing is under way any more and nothing further can begin. It
// owns all goroutines that it starts.
func (e *executor) run() []outcome {
	n := len(e.steps)
	x := &execution{executor: e, outcomes: make([]outcome, n), open: make([]int, n), users: make([][]int, n),
		inPlace: make([]bool, n), messages: make(chan message)}
	for i := range e.steps {
		needs := e.steps[i].Needs
		x.open[i] = len(needs)
		for _, need := range needs {
			x.users[need] = append(x.users[need], i)
		}
		if len(needs) == 0 {
			x.release(i)
		}
	}
	for {
		x.begin()
		if x.busy+x.aside == 0 && !x.announcing {
			return x.outcomes
		}
		x.hear(<-x.messages)
	}
}

// release lets a step begin whose needs are done.
func (x *execution) release(step int) {
	switch x.steps[step].Op {
	case plan.OpCreate:
		x.creating = append(x.creating, step)
	case plan.OpVerify:
		x.verifying = append(x.verifying, step)
	case plan.OpForget:
		x.forgetting = append(x.forgetting, step)
	default:
		x.ready = append(x.ready, step)
	}
}

// begin begins what may begin.
func (x *execution) begin() {
	if len(x.creating) > 0 && !x.announcing && x.mayBegin(plan.OpCreate) {
		creates := x.creating
		x.creating, x.announcing = nil, true
		go func() { x.messages <- message{announced: creates, err: x.announce(creates)} }()
	}
	for len(x.verifying) > 0 && x.mayBegin(plan.OpVerify) {
		x.aside++
		x.start(x.verifying[0])
		x.verifying = x.verifying[1:]
	}
	for len(x.forgetting) > 0 && x.mayBegin(plan.OpForget) {
		x.aside++
		x.start(x.forgetting[0])
		x.forgetting = x.forgetting[1:]
	}
	for len(x.ready) > 0 && x.busy < max(1, x.most) && x.mayBegin(x.steps[x.ready[0]].Op) {
		x.busy++
		x.inPlace[x.ready[0]] = true
		x.start(x.ready[0])
		x.ready = x.ready[1:]
	}
}

func (x *execution) start(step int) {
	free := func() { x.messages <- message{step: step} }
	go func() { x.messages <- message{step: step, outcome: x.do(step, free)} }()
}

// hear takes note of a message.
func (x *execution) hear(m message) {
	if m.announced != nil {
		x.announcing = false
		for _, step := range m.announced {
			if m.err == nil {
				x.ready = append(x.ready, step)
			}
		}
		return
	}
	if x.inPlace[m.step] {
		x.inPlace[m.step] = false
		x.busy--
		x.aside++
	}
	if m.outcome == notBegun {
		return
	}
	x.aside--
	x.end(m.step, m.outcome)
}

// end settles a step, and what follows for those that need it.
func (x *execution) end(step int, o outcome) {
	x.outcomes[step] = o
	for _, user := range x.users[step] {
		switch {
		case o == held && x.outcomes[user] == notBegun:
			x.end(user, held)
		case o == done:
			if x.open[user]--; x.open[user] == 0 && x.outcomes[user] == notBegun {
				x.release(user)
			}
		}
	}
}
