package syntax

import "b2form/schema/kind"

// Blocks lists the blocks of the top level that are no resources and no data, in
// the order in which they are documented.
func Blocks() []*Block {
	return []*Block{&variable, &locals, &output, &module, &check, &imports, &moved, &removed, &settings}
}

// Find finds a block of the top level by its type; nil: there is none.
func Find(typ string) *Block {
	for _, b := range Blocks() {
		if b.Type == typ {
			return b
		}
	}
	return nil
}

// Meta lists the arguments that every resource takes.
func Meta() []string {
	var out []string
	for _, a := range resource.Arguments {
		out = append(out, a.Name)
	}
	return out
}

// Resource is what every resource takes beside the attributes of its kind. Its
// deliver blocks belong only to kinds that deliver.
func Resource() *Block { return &resource }

// Top lists every block of the top level that is no resource.
func Top(kinds []*kind.Kind) []*Block {
	out := Blocks()
	data := Data(kinds)
	for i := range data {
		out = append(out, &data[i])
	}
	return out
}
