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
	steps       []plan.Step
	parallelism int // steps under way at once, at least 1; those that verify, forget or only wait do not count
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
	unmetNeeds []int   // per step, how many of its needs are not done
	dependents [][]int // per step, who needs it
	ready      []int   // may begin, as soon as there is a place
	verifying  []int   // may begin
	forgetting []int   // may begin
	creating   []int   // may begin, as soon as they are announced
	announcing bool
	holdsSlot  []bool // per step under way, whether it counts
	slotsInUse int    // steps that count
	slotless   int    // steps under way that do not
	messages   chan message
}

// run returns when nothing is under way any more and nothing further can begin. It
// owns all goroutines that it starts.
func (e *executor) run() []outcome {
	n := len(e.steps)
	x := &execution{executor: e, outcomes: make([]outcome, n), unmetNeeds: make([]int, n), dependents: make([][]int, n),
		holdsSlot: make([]bool, n), messages: make(chan message)}
	for i := range e.steps {
		needs := e.steps[i].Needs
		x.unmetNeeds[i] = len(needs)
		for _, need := range needs {
			x.dependents[need] = append(x.dependents[need], i)
		}
		if len(needs) == 0 {
			x.enqueueReady(i)
		}
	}
	for {
		x.startReady()
		if x.slotsInUse+x.slotless == 0 && !x.announcing {
			return x.outcomes
		}
		x.handle(<-x.messages)
	}
}

// enqueueReady lets a step begin whose needs are done.
func (x *execution) enqueueReady(step int) {
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

// startReady begins what may begin.
func (x *execution) startReady() {
	if len(x.creating) > 0 && !x.announcing && x.mayBegin(plan.OpCreate) {
		creates := x.creating
		x.creating, x.announcing = nil, true
		go func() { x.messages <- message{announced: creates, err: x.announce(creates)} }()
	}
	for len(x.verifying) > 0 && x.mayBegin(plan.OpVerify) {
		x.slotless++
		x.start(x.verifying[0])
		x.verifying = x.verifying[1:]
	}
	for len(x.forgetting) > 0 && x.mayBegin(plan.OpForget) {
		x.slotless++
		x.start(x.forgetting[0])
		x.forgetting = x.forgetting[1:]
	}
	for len(x.ready) > 0 && x.slotsInUse < max(1, x.parallelism) && x.mayBegin(x.steps[x.ready[0]].Op) {
		x.slotsInUse++
		x.holdsSlot[x.ready[0]] = true
		x.start(x.ready[0])
		x.ready = x.ready[1:]
	}
}

func (x *execution) start(step int) {
	freeSlot := func() { x.messages <- message{step: step} }
	go func() { x.messages <- message{step: step, outcome: x.do(step, freeSlot)} }()
}

// handle takes note of a message.
func (x *execution) handle(m message) {
	if m.announced != nil {
		x.announcing = false
		for _, step := range m.announced {
			if m.err == nil {
				x.ready = append(x.ready, step)
			}
		}
		return
	}
	if x.holdsSlot[m.step] {
		x.holdsSlot[m.step] = false
		x.slotsInUse--
		x.slotless++
	}
	if m.outcome == notBegun {
		return
	}
	x.slotless--
	x.end(m.step, m.outcome)
}

// end settles a step, and what follows for those that need it.
func (x *execution) end(step int, o outcome) {
	x.outcomes[step] = o
	for _, user := range x.dependents[step] {
		switch {
		case o == held && x.outcomes[user] == notBegun:
			x.end(user, held)
		case o == done:
			if x.unmetNeeds[user]--; x.unmetNeeds[user] == 0 && x.outcomes[user] == notBegun {
				x.enqueueReady(user)
			}
		}
	}
}
