package plan

// strongComponents orders n steps so that what a step needs comes before it, as far as needs form no
// cycle, and gives the strongly connected component of each step (Tarjan, "Depth-first search and
// linear graph algorithms", 1972). Needs are sorted by step.
func strongComponents(n int, needs []need) (order, componentOf []int) {
	t := tarjan{needs: needs, firstNeed: make([]int, n+1), index: make([]int, n), low: make([]int, n), component: make([]int, n),
		dependencyOrder: make([]int, 0, n)}
	for _, need := range needs {
		t.firstNeed[need.step+1]++
	}
	for i := range n {
		t.firstNeed[i+1] += t.firstNeed[i]
		t.component[i] = none
	}
	for i := range n {
		if t.index[i] == 0 {
			t.visit(i)
		}
	}
	return t.dependencyOrder, t.component
}

// isCyclic reports whether a component has several steps.
func isCyclic(componentOf []int) bool {
	last := none
	for _, component := range componentOf {
		last = max(last, component)
	}
	return last+1 < len(componentOf)
}

type tarjan struct {
	needs           []need
	firstNeed       []int // needs of a step begin here
	index, low      []int // from 1; index 0: not visited
	component       []int // none: not known yet
	dependencyOrder []int
	stack           []int
	visitedCount    int
	componentCount  int
}

func (t *tarjan) visit(i int) {
	t.visitedCount++
	t.index[i], t.low[i] = t.visitedCount, t.visitedCount
	t.stack = append(t.stack, i)
	for _, n := range t.needs[t.firstNeed[i]:t.firstNeed[i+1]] {
		switch {
		case t.index[n.dependsOn] == 0:
			t.visit(int(n.dependsOn))
			t.low[i] = min(t.low[i], t.low[n.dependsOn])
		case t.component[n.dependsOn] == none:
			t.low[i] = min(t.low[i], t.index[n.dependsOn])
		}
	}
	if t.low[i] != t.index[i] {
		return
	}
	for {
		last := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		t.component[last] = t.componentCount
		t.dependencyOrder = append(t.dependencyOrder, last)
		if last == i {
			break
		}
	}
	t.componentCount++
}
