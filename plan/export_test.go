package plan

// Stepper plans, and gives what works out the steps of that plan anew.
func Stepper(r Request) func() {
	p := newPlanner(r)
	p.planChanges()
	p.setMovedFromAndSort()
	return p.makeSteps
}
