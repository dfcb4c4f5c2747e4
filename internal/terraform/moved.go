package terraform

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/schema/addr"
	"b2form/schema/config"
)

// maxMoves bounds how many moved blocks one address is led through: those of a valid configuration form no circle.
const maxMoves = 1000

// moveDestination is where an object of the state belongs by the moved blocks, which Terraform may not have applied yet.
func (m *migration) moveDestination(recorded addr.Addr) (now addr.Addr) {
	now = recorded
	for range maxMoves {
		before := now
		m.visitBlocksAbove(now, "moved", func(it *item, modulePath string) (stop bool) {
			from, ok1 := it.addressIn(modulePath, "from")
			to, ok2 := it.addressIn(modulePath, "to")
			if next, moves := (config.Move{From: from, To: to}).Apply(now); ok1 && ok2 && moves {
				now = next
			}
			return now != before
		})
		if now == before {
			break
		}
	}
	return now
}

// isLetGo reports whether a removed block says that an object stays, and that nobody manages it.
func (m *migration) isLetGo(a addr.Addr) (stays bool) {
	m.visitBlocksAbove(a, "removed", func(it *item, modulePath string) (stop bool) {
		from, ok := it.addressIn(modulePath, "from")
		stays = ok && (config.Removal{From: from}).Covers(a) && slices.ContainsFunc(it.block.Body.Blocks, func(b *hclsyntax.Block) bool {
			return b.Type == "lifecycle" && isFalse(b.Body.Attributes["destroy"])
		})
		return stays
	})
	return stays
}

// visitBlocksAbove visits the blocks of a type that may speak of an address: those of the modules that it leads through, with
// the address of each, from the root module on.
func (m *migration) visitBlocksAbove(a addr.Addr, blockType string, visit func(it *item, modulePath string) (stop bool)) {
	steps, ok := moduleSteps(a.Module)
	if !ok {
		return
	}
	mod, path := m.root, ""
	for n := 0; ; n++ {
		for _, it := range mod.items {
			if it.block.Type == blockType && visit(it, path) {
				return
			}
		}
		if n == len(steps) {
			return
		}
		call := mod.byReferenceName["module."+steps[n].name]
		if call == nil || call.callee == nil {
			return
		}
		mod, path = call.callee, strings.TrimPrefix(path+".module."+steps[n].name+steps[n].key.String(), ".")
	}
}

// addressIn is the address that an attribute of a block names, in an instance of its module; false: it names none.
func (it *item) addressIn(modulePath, attrName string) (a addr.Addr, ok bool) {
	attr := it.block.Body.Attributes[attrName]
	if attr == nil {
		return a, false
	}
	a, err := addr.ParseTarget(it.file.nativeTextAt(attr.Expr.Range()))
	if err != nil {
		return a, false
	}
	if modulePath != "" {
		a.Module = strings.TrimSuffix(modulePath+"."+a.Module, ".")
	}
	return a, true
}
