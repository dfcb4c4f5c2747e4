package apply

import "b2form/plan"

// A stepStatus is what became of a step.
type stepStatus int

// The outcomes. What needs a step begins only after it is done, and is held where it is held.
const (
	notBegun stepStatus = iota
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
	// doStep carries out a step. It may call freeSlot, once, when all that is left is to
	// wait: from then on another step may take its place.
	doStep func(step int, freeSlot func()) stepStatus
	// mayBegin reports whether a further step of an op may begin. Once false, it stays
	// false.
	mayBegin func(plan.Op) bool
}

// An execution is one run of an executor. Only its loop touches it.
type execution struct {
	*executor
	statuses           []stepStatus
	unmetNeeds         []int   // per step, how many of its needs are not done
	dependents         [][]int // per step, who needs it
	stepsAwaitingSlot  []int   // may begin, as soon as there is a place
	readyVerifies      []int   // may begin
	readyForgets       []int   // may begin
	unannouncedCreates []int   // may begin, as soon as they are announced
	savingIntents      bool
	holdsSlot          []bool      // per step under way, whether it counts
	slotsInUse         int         // steps that count
	runningWithoutSlot int         // steps under way that do not
	events             chan func() // what became of something that began: the loop calls each
}

// run returns when nothing is under way any more and nothing further can begin. It
// owns all goroutines that it starts.
func (e *executor) run() []stepStatus {
	n := len(e.steps)
	x := &execution{executor: e, statuses: make([]stepStatus, n), unmetNeeds: make([]int, n), dependents: make([][]int, n),
		holdsSlot: make([]bool, n), events: make(chan func())}
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
		x.announceAndStartReady()
		if x.slotsInUse+x.runningWithoutSlot == 0 && !x.savingIntents {
			return x.statuses
		}
		(<-x.events)()
	}
}

// enqueueReady lets a step begin whose needs are done.
func (x *execution) enqueueReady(step int) {
	switch x.steps[step].Op {
	case plan.OpCreate:
		x.unannouncedCreates = append(x.unannouncedCreates, step)
	case plan.OpVerify:
		x.readyVerifies = append(x.readyVerifies, step)
	case plan.OpForget:
		x.readyForgets = append(x.readyForgets, step)
	default:
		x.stepsAwaitingSlot = append(x.stepsAwaitingSlot, step)
	}
}

// announceAndStartReady begins what may begin.
func (x *execution) announceAndStartReady() {
	if len(x.unannouncedCreates) > 0 && !x.savingIntents && x.mayBegin(plan.OpCreate) {
		creates := x.unannouncedCreates
		x.unannouncedCreates, x.savingIntents = nil, true
		go func() {
			err := x.announce(creates)
			x.events <- func() { x.endAnnouncing(creates, err) }
		}()
	}
	for len(x.readyVerifies) > 0 && x.mayBegin(plan.OpVerify) {
		x.runningWithoutSlot++
		x.startStep(x.readyVerifies[0])
		x.readyVerifies = x.readyVerifies[1:]
	}
	for len(x.readyForgets) > 0 && x.mayBegin(plan.OpForget) {
		x.runningWithoutSlot++
		x.startStep(x.readyForgets[0])
		x.readyForgets = x.readyForgets[1:]
	}
	for len(x.stepsAwaitingSlot) > 0 && x.slotsInUse < max(1, x.parallelism) && x.mayBegin(x.steps[x.stepsAwaitingSlot[0]].Op) {
		x.slotsInUse++
		x.holdsSlot[x.stepsAwaitingSlot[0]] = true
		x.startStep(x.stepsAwaitingSlot[0])
		x.stepsAwaitingSlot = x.stepsAwaitingSlot[1:]
	}
}

func (x *execution) startStep(step int) {
	freeSlot := func() { x.events <- func() { x.freeSlot(step) } }
	go func() {
		status := x.doStep(step, freeSlot)
		x.events <- func() {
			x.freeSlot(step)
			x.runningWithoutSlot--
			x.endStep(step, status)
		}
	}()
}

// endAnnouncing lets creates begin that are announced.
func (x *execution) endAnnouncing(creates []int, err error) {
	x.savingIntents = false
	if err == nil {
		x.stepsAwaitingSlot = append(x.stepsAwaitingSlot, creates...)
	}
}

// freeSlot lets another step take the slot of one, if it holds one.
func (x *execution) freeSlot(step int) {
	if x.holdsSlot[step] {
		x.holdsSlot[step] = false
		x.slotsInUse--
		x.runningWithoutSlot++
	}
}

// endStep settles a step, and what follows for those that need it.
func (x *execution) endStep(step int, o stepStatus) {
	x.statuses[step] = o
	for _, user := range x.dependents[step] {
		switch {
		case o == held && x.statuses[user] == notBegun:
			x.endStep(user, held)
		case o == done:
			if x.unmetNeeds[user]--; x.unmetNeeds[user] == 0 && x.statuses[user] == notBegun {
				x.enqueueReady(user)
			}
		}
	}
}
