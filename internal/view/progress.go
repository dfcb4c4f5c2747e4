package view

import (
	"fmt"
	"time"

	"b2form/apply"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/plan"
)

// verbs are the words of one action while it runs, in the past and in trouble.
type verbs struct{ running, done, failed string }

func verbsOf(a plan.Action) verbs {
	switch a {
	case plan.Create, plan.Replace, plan.Rotate:
		return verbs{"creating", "Creation complete", "Creation failed"}
	case plan.Update:
		return verbs{"modifying", "Modifications complete", "Modification failed"}
	case plan.Delete:
		return verbs{"destroying", "Destruction complete", "Destruction failed"}
	case plan.Forget:
		return verbs{"forgetting", "Forgotten", "Forgetting failed"}
	}
	return verbs{"importing", "Import complete", "Import failed"}
}

// Event tells of a step's progress in one line.
func (t Text) Event(e apply.Event) { t.progress(eventText(e)) }

// Still says that a step is under way; e.Took is how long.
func (t Text) Still(e apply.Event) { t.progress(stillText(e)) }

func (t Text) progress(text string) {
	if !t.Quiet && !t.Concise {
		fmt.Fprintln(t.Err, t.painted(text, t.Style.ErrWidth, bold))
	}
}

func eventText(e apply.Event) string {
	v := verbsOf(e.Action)
	addr := e.Addr.String() + ": "
	switch e.Stage {
	case apply.Started:
		id := e.ID
		if e.Action == plan.Create || e.Action == plan.Rotate {
			id = ""
		}
		return addr + words.Capital(v.running) + "..." + withName(id, e.Name)
	case apply.Emptying:
		return addr + "Emptying... " + plural(e.Count, "file version removed", "file versions removed")
	case apply.Delivered:
		return addr + "Secret delivered to " + visible.Text(e.Note)
	case apply.Verifying:
		return addr + "Waiting until B2 accepts the new key..." + withID(e.ID)
	case apply.Verified:
		if e.Err != nil {
			return addr + "B2 does not accept the new key after " + seconds(e.Took) + withID(e.ID)
		}
		return addr + "B2 accepts the new key after " + seconds(e.Took) + withID(e.ID)
	case apply.Failed:
		return addr + v.failed + " after " + seconds(e.Took)
	}
	id := e.ID
	if e.Action == plan.Delete || e.Action == plan.Forget {
		id = ""
	}
	return addr + v.done + " after " + seconds(e.Took) + withID(id)
}

func stillText(e apply.Event) string {
	if e.Stage == apply.Verifying {
		return e.Addr.String() + ": Still waiting until B2 accepts the new key..." + withID(e.ID) + " [" + seconds(e.Took) + " elapsed]"
	}
	return e.Addr.String() + ": Still " + verbsOf(e.Action).running + "..." + withName(e.ID, e.Name) + " [" + seconds(e.Took) + " elapsed]"
}

// withName is withID of what is deleted: an ID says little to people.
func withName(id, name string) string {
	if name == "" {
		return withID(id)
	}
	return " [id=" + id + ", name=" + quote(name) + "]"
}

func withID(id string) string {
	if id == "" {
		return ""
	}
	return " [id=" + visible.Text(id) + "]"
}

// seconds writes a duration as people read it: "0s", "1m20s".
func seconds(d time.Duration) string { return d.Truncate(time.Second).String() }

// Done writes the closing line of a run that changed something or tried to.
func (t Text) Done(r *apply.Result, m Mode) {
	n := r.Counts
	word, text := words.Capital(m.Verb()), fmt.Sprintf("%d added, %d changed, %d destroyed", n.Add, n.Change, n.Destroy)
	if n.Import > 0 {
		text = fmt.Sprintf("%d imported, %s", n.Import, text)
	}
	if n.Forget > 0 {
		text += fmt.Sprintf(", %d forgotten", n.Forget)
	}
	if m == Destroying {
		text = fmt.Sprintf("%d destroyed", n.Destroy)
	}
	if !r.Failed() {
		fmt.Fprintln(t.Out, "\n"+t.painted(word+" complete! Resources: "+text+".", t.Style.Width, bold, green))
		return
	}
	fmt.Fprintln(t.Out, "\n"+t.painted(word+" incomplete. Resources: "+text+leftUndone(r)+".", t.Style.Width, bold, red))
}

func leftUndone(r *apply.Result) string {
	failed := 0
	for _, c := range r.Changes {
		if c.Err != nil {
			failed++
		}
	}
	text := ""
	if failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	if n := len(r.Skipped); n > 0 {
		text += fmt.Sprintf(", %d not begun", n)
	}
	if n := len(r.Unfinished); n > 0 {
		text += fmt.Sprintf(", %d not finished", n)
	}
	return text
}
