package view

import (
	"fmt"
	"strings"

	"b2form/internal/visible"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
)

// A Graph says what needs what.
type Graph struct {
	nodeLabels []string // labels, no two alike
	edges      []edge
}

// An edge leads from what needs to what is needed, by their places in a Graph.
type edge struct {
	from, to int
	deferred bool // what is set last needs it
}

// ResourceGraph is the graph of what a configuration declares. Nodes and edges are
// sorted by address; of one node, what is set last comes last.
func ResourceGraph(c *config.Config) Graph {
	g := Graph{nodeLabels: make([]string, len(c.Resources))}
	at := make(map[addr.Addr]int, len(c.Resources))
	for i, r := range c.Resources {
		g.nodeLabels[i], at[r.Addr] = r.Addr.String(), i
	}
	for i, r := range c.Resources {
		for _, need := range r.Needs {
			if j, declared := at[need]; declared {
				g.edges = append(g.edges, edge{from: i, to: j})
			}
		}
		for _, need := range r.DeferredNeeds {
			if j, declared := at[need]; declared {
				g.edges = append(g.edges, edge{from: i, to: j, deferred: true})
			}
		}
	}
	return g
}

// StepGraph is the graph of what an apply of the plan does, in the plan's order.
func StepGraph(p *plan.Plan) Graph {
	g := Graph{nodeLabels: make([]string, len(p.Steps))}
	for i := range p.Steps {
		g.nodeLabels[i] = stepText(p, i)
		for _, need := range p.Steps[i].Needs {
			g.edges = append(g.edges, edge{from: i, to: need})
		}
	}
	return g
}

// stepText is a step in words: "update bucket.photos (replication)".
func stepText(p *plan.Plan, i int) string {
	s := &p.Steps[i]
	text := string(s.Op) + " " + p.Changes[s.Change].Addr.String()
	switch {
	case s.Op == plan.OpUpdate:
		text += " (" + strings.Join(s.FieldPaths(), ", ") + ")"
	case s.Op == plan.OpDelete:
		text += idAndNameSuffix(s.RemoteID, p.Changes[s.Change].DeletedName(s.RemoteID))
	}
	return visible.EscapeLine(text)
}

// DOT writes the graph in Graphviz's language.
func (g Graph) DOT() string {
	var b strings.Builder
	b.WriteString("digraph {\n  rankdir = \"RL\"\n  node [shape = \"box\"]\n")
	name := func(i int) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(g.nodeLabels[i]) + `"`
	}
	for i := range g.nodeLabels {
		b.WriteString("  " + name(i) + "\n")
	}
	for _, e := range g.edges {
		style := ""
		if e.deferred {
			style = ` [style = "dashed"]`
		}
		b.WriteString("  " + name(e.from) + " -> " + name(e.to) + style + "\n")
	}
	return b.String() + "}\n"
}

// Mermaid writes the graph as a Mermaid flowchart.
func (g Graph) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart RL\n")
	for i, label := range g.nodeLabels {
		fmt.Fprintf(&b, "  n%d[\"%s\"]\n", i, strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;").Replace(label))
	}
	for _, e := range g.edges {
		arrow := "-->"
		if e.deferred {
			arrow = "-.->"
		}
		fmt.Fprintf(&b, "  n%d %s n%d\n", e.from, arrow, e.to)
	}
	return b.String()
}
