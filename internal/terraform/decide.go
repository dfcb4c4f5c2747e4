package terraform

import (
	"fmt"
	"slices"
	"strings"

	"b2form/schema/addr"
)

// classifyItems says what each item of a module is. Modules that it calls come first.
func (m *migration) classifyItems(mod *module) {
	for _, it := range mod.items {
		switch {
		case it.localAttr != nil:
		case it.block.Type == "resource" && it.referenceName != "", it.block.Type == "data" && it.referenceName != "":
			m.classifyResource(it)
			mod.holdsB2 = mod.holdsB2 || it.kind != nil || it.fate == uncarriable
		case it.block.Type == "module":
			m.classifyCall(it)
			mod.holdsB2 = mod.holdsB2 || it.fate != staysInTerraform
		case it.block.Type == "provider":
			it.fate = staysInTerraform
			if it.title() == `provider "b2"` {
				it.fate = dropped
				m.reportEndpointLost(it)
			}
		case slices.Contains([]string{"moved", "removed", "import"}, it.block.Type):
			it.fate = staysInTerraform
			for _, t := range it.refs {
				if target := addressedResourceType(t); m.byType[target] != nil {
					it.fate = carried
				}
			}
		case !slices.Contains([]string{"variable", "output", "check", "terraform"}, it.block.Type):
			it.fate = staysInTerraform
		}
	}
	others := mod.otherAccounts()
	for _, it := range mod.items {
		if it.fate == carried && it.usesAnyAlias(others) {
			it.markNotCarriedOver("It belongs to another account than others, by a second provider \"b2\". b2form works with one " +
				"account in a folder: move it to a folder of its own.")
		}
	}
}

func (it *item) markNotCarriedOver(reason string) {
	it.fate, it.notCarriedReason, it.edits = uncarriable, reason, nil
}

func (m *migration) classifyResource(it *item) {
	typ := it.block.Labels[0]
	it.fate = staysInTerraform
	switch k := m.byType[typ]; {
	case k != nil && it.block.Type == "resource":
		it.kind, it.fate = k, carried
	case !strings.HasPrefix(typ, "b2_"):
	case it.block.Type == "resource":
		it.markNotCarriedOver("b2form has no resource \"" + typ + "\".")
	case b2formDataType(typ) != "":
		it.kind, it.fate = m.byType[resourceTypeOfData(typ)], carried
	case typ == "b2_bucket_file_signed_url":
		it.markNotCarriedOver("b2form makes no signed URLs, which are secrets that end. Make one when it is needed: b2 file url " +
			"--with-auth.")
	default:
		it.markNotCarriedOver("b2form has no data \"" + typ + "\".")
	}
}

// b2formDataType is the type here of data of the provider; "": there is none.
func b2formDataType(typ string) string {
	switch typ {
	case "b2_account_info":
		return "account"
	case "b2_bucket":
		return "bucket"
	case "b2_application_key":
		return "key"
	case "b2_bucket_file":
		return "file"
	case "b2_bucket_files":
		return "files"
	case "b2_bucket_notification_rules":
		return "notification_rules"
	}
	return ""
}

// resourceTypeOfData is the resource of the provider whose attributes data has.
func resourceTypeOfData(typ string) string {
	if typ == "b2_bucket_file" || typ == "b2_bucket_files" {
		return "b2_bucket_file_version"
	}
	return typ
}

func (m *migration) classifyCall(it *item) {
	switch {
	case it.callee != nil && !it.callee.holdsB2:
		it.fate = staysInTerraform
	case it.callee != nil:
	case m.state.hasB2InModule(it.block.Labels, m.byType) || strings.Contains(literalText(it.block.Body.Attributes["source"]), "b2"):
		it.markNotCarriedOver("Its module is not in a folder beside this one. Copy the module there, name the folder as source, and run " +
			"this again.")
	default:
		it.fate = staysInTerraform
	}
}

func (m *migration) reportEndpointLost(it *item) {
	if e := it.block.Body.Attributes["endpoint"]; e != nil && literalText(e) != "production" {
		m.result.ChangedMeaning = append(m.result.ChangedMeaning, it.file.place(e.SrcRange, it.title(),
			"Set the environment variable B2_ENDPOINT to this endpoint."))
	}
}

// otherAccounts are the aliases of providers that may be for another account than the default one: something else than the
// alias differs in their blocks.
func (mod *module) otherAccounts() (aliases []string) {
	same := true
	texts := map[string]string{} // by alias
	for _, it := range mod.items {
		if it.fate != dropped {
			continue
		}
		text := ""
		for _, name := range []string{"application_key", "application_key_id", "endpoint"} {
			if a := it.block.Body.Attributes[name]; a != nil {
				text += name + "=" + it.file.nativeTextAt(a.Expr.Range()) + "\n"
			}
		}
		for _, other := range texts {
			same = same && text == other
		}
		texts[literalText(it.block.Body.Attributes["alias"])] = text
	}
	for alias, text := range texts {
		if byDefault, found := texts[""]; !same && alias != "" && (!found || text != byDefault) {
			aliases = append(aliases, alias)
		}
	}
	return aliases
}

// usesAnyAlias reports whether a block names a provider by one of these aliases.
func (it *item) usesAnyAlias(aliases []string) bool {
	if it.localAttr != nil {
		return false
	}
	for _, name := range []string{"provider", "providers"} {
		if a := it.block.Body.Attributes[name]; a != nil {
			for _, t := range a.Expr.Variables() {
				if t.RootName() == "b2" && len(t) > 1 && slices.Contains(aliases, addr.RootOrAttrName(t[1])) {
					return true
				}
			}
		}
	}
	return false
}

// decideStaying says what variables, local values, outputs and checks serve: what other providers
// alone need stays.
func (m *migration) decideStaying() {
	for _, mod := range m.calleesFirst {
		needed, used := map[*item]bool{}, map[*item]bool{}
		var visit func(it *item)
		visit = func(it *item) {
			if needed[it] {
				return
			}
			needed[it] = true
			for _, t := range it.refs {
				if to := mod.findReferencedItem(t); to != nil && to.fate == carried {
					visit(to)
				}
			}
		}
		for _, it := range mod.items {
			for _, t := range it.refs {
				if to := mod.findReferencedItem(t); to != nil {
					used[to] = true
				}
			}
			it.dropRefsOfStayingArguments()
		}
		for _, it := range mod.items {
			if it.localAttr != nil && mod.allOutputs(it) != nil && !mod.hasReaderOfAll(it) {
				it.fate = staysInTerraform
			}
		}
		for _, it := range mod.items {
			if it.fate != carried || it.localAttr != nil || it.block.Type == "variable" {
				continue
			}
			if it.block.Type == "output" || it.block.Type == "check" {
				if b2, other := mod.touches(it, map[*item]bool{}); other && !b2 {
					it.fate = staysInTerraform
					continue
				}
			}
			visit(it)
		}
		for _, it := range mod.items {
			serves := it.localAttr != nil || it.block.Type == "variable"
			if _, other := mod.touches(it, map[*item]bool{}); serves && !needed[it] && (used[it] || other) {
				it.fate = staysInTerraform
			}
		}
	}
}

// leaveOverridden leaves what an override file changes: without that it would say something else.
func (m *migration) leaveOverridden() {
	for _, mod := range m.calleesFirst {
		for _, it := range mod.items {
			if o := mod.overrides[it.referenceName]; o != nil && it.fate == carried {
				at := o.place("")
				it.markNotCarriedOver(fmt.Sprintf("%s:%d changes it. Write what that says into this block.", at.File, at.Line))
			}
		}
	}
}

// dropRefsOfStayingArguments forgets what a call refers to in arguments that its module does not
// need here, and what a backend does, of which no expression is carried over.
func (it *item) dropRefsOfStayingArguments() {
	if it.block.Type == "terraform" {
		it.refs = nil
	}
	if it.callee == nil {
		return
	}
	it.refs = nil
	for _, a := range attrsInSourceOrder(it.block.Body) {
		if v := it.callee.byReferenceName["var."+a.Name]; v == nil || v.fate != staysInTerraform {
			it.refs = append(it.refs, a.Expr.Variables()...)
		}
	}
}

// touches reports whether an item refers to something of B2, and to something of others.
func (mod *module) touches(it *item, seen map[*item]bool) (b2, other bool) {
	seen[it] = true
	for _, t := range it.refs {
		to := mod.findReferencedItem(t)
		switch {
		case to == nil || seen[to] || strings.HasPrefix(to.referenceName, "var."):
		case to.localAttr != nil:
			ofB2, ofOthers := mod.touches(to, seen)
			b2, other = b2 || ofB2, other || ofOthers
		case to.fate == staysInTerraform:
			other = true
		default:
			b2 = true
		}
	}
	return b2, other
}
