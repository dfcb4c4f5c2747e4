package terraform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/internal/visible"
	"b2form/schema/addr"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// stateVersion is the one format of states that is read, that of Terraform 0.12 and
// later.
const stateVersion = 4

// A stateFile is what a state of Terraform records.
type stateFile struct {
	name      string
	Version   int             `json:"version"`
	Encrypted json.RawMessage `json:"encrypted_data"`
	Outputs   map[string]struct {
		Value     json.RawMessage `json:"value"`
		Sensitive bool            `json:"sensitive"`
	} `json:"outputs"`
	Resources []*stateResource `json:"resources"`
	secrets   map[string]bool  // texts; nil: not searched for yet
}

// A stateResource is a block with all its objects.
type stateResource struct {
	Module    string           `json:"module"`
	Mode      string           `json:"mode"`
	Type      string           `json:"type"`
	Name      string           `json:"name"`
	Instances []*stateInstance `json:"instances"`
}

// A stateInstance is one object.
type stateInstance struct {
	IndexKey   any                        `json:"index_key"`
	Status     string                     `json:"status"`
	Deposed    string                     `json:"deposed"`
	Attributes map[string]json.RawMessage `json:"attributes"`
	Sensitive  []json.RawMessage          `json:"sensitive_attributes"`
}

// text is an attribute that is a text; "": it is none.
func (i *stateInstance) text(name string) string {
	var s string
	_ = json.Unmarshal(i.Attributes[name], &s) // anything else is no text
	return s
}

// key is the instance key; false: it is none that an address can have.
func (i *stateInstance) key() (key addr.InstanceKey, legal bool) {
	switch k := i.IndexKey.(type) {
	case nil:
		return addr.InstanceKey{}, true
	case string:
		return addr.ForEachKey(k), true
	case float64:
		return addr.CountIndex(int(k)), k >= 0 && k == float64(int(k))
	}
	return addr.InstanceKey{}, false
}

// parseState reads a state. Its texts are secrets, so errors repeat none of them.
func parseState(name string, text []byte) (*stateFile, error) {
	s := &stateFile{name: name}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	pull := "Give what \"terraform state pull\" prints."
	switch {
	case len(text) > mostBytes:
		return nil, failf("State too large", "%s has more than %d MB.", name, mostBytes>>20)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, failf("Empty state", "%s holds nothing. %s", name, pull)
	case wire.FindTooDeep(text, 100) >= 0 || json.Unmarshal(text, s) != nil:
		return nil, failf("Not a Terraform state", "%s is not the JSON of a state, or only a part of it. %s", name, pull)
	case s.Encrypted != nil:
		return nil, failf("Encrypted state", "%s is encrypted by OpenTofu. Run \"tofu state pull\" where the key is, and give what it "+
			"prints.", name)
	case s.Version == 0:
		return nil, failf("Not a Terraform state", "%s names no format version. %s", name, pull)
	case s.Version < stateVersion:
		return nil, failf("State of an old format", "%s has format version %d, of Terraform before 0.12. b2form reads version %d: run "+
			"\"terraform apply -refresh-only\" with Terraform 0.13 or later, then this again.", name, s.Version, stateVersion)
	case s.Version > stateVersion:
		return nil, failf("State of a later format", "%s has format version %d. b2form reads version %d.", name, s.Version, stateVersion)
	}
	s.Resources = slices.DeleteFunc(s.Resources, func(r *stateResource) bool {
		return r == nil || !hclsyntax.ValidIdentifier(r.Type) || !hclsyntax.ValidIdentifier(r.Name)
	})
	for _, r := range s.Resources {
		r.Instances = slices.DeleteFunc(r.Instances, func(i *stateInstance) bool { return i == nil })
	}
	return s, nil
}

// A moduleStep is one call in the address of a module.
type moduleStep struct {
	name string
	key  addr.InstanceKey
}

// moduleSteps takes the address of a module apart; false: it is none.
func moduleSteps(moduleAddress string) (steps []moduleStep, ok bool) {
	for moduleAddress != "" {
		// A whole address is read, then what stands before its last call.
		a, err := addr.ParseTarget(moduleAddress)
		if err != nil || a.Kind != "" {
			return nil, false
		}
		last := lastCallOffset(a.Module)
		one, err := addr.Parse("x." + strings.TrimPrefix(strings.TrimPrefix(a.Module[last:], "."), "module."))
		if err != nil {
			return nil, false
		}
		steps = append(steps, moduleStep{one.Label, one.Instance})
		moduleAddress = a.Module[:last]
	}
	slices.Reverse(steps)
	return steps, true
}

// lastCallOffset is where the last call of a module's address begins.
func lastCallOffset(moduleAddress string) int {
	quoted, last := false, 0
	for i := 0; i < len(moduleAddress); i++ {
		switch {
		case moduleAddress[i] == '\\':
			i++
		case moduleAddress[i] == '"':
			quoted = !quoted
		case !quoted && strings.HasPrefix(moduleAddress[i:], ".module."):
			last = i
		}
	}
	return last
}

// moduleAt is the module that an address in the state leads to; nil: it leads to none.
func (m *migration) moduleAt(address string) (mod *module, addressWithKeys string) {
	steps, ok := moduleSteps(address)
	if !ok {
		return nil, ""
	}
	mod, addressWithKeys = m.root, ""
	for _, step := range steps {
		call := mod.byReferenceName["module."+step.name]
		if call == nil || call.callee == nil || call.fate != carried {
			return nil, ""
		}
		mod = call.callee
		addressWithKeys = strings.TrimPrefix(addressWithKeys+".module."+step.name+step.key.String(), ".")
	}
	return mod, addressWithKeys
}

// hasB2InModule reports whether the state has something of B2 in a module.
func (s *stateFile) hasB2InModule(labels []string, byType map[string]*kind.Kind) bool {
	if s == nil || len(labels) != 1 {
		return false
	}
	return slices.ContainsFunc(s.Resources, func(r *stateResource) bool {
		steps, _ := moduleSteps(r.Module)
		return byType[r.Type] != nil && slices.ContainsFunc(steps, func(st moduleStep) bool { return st.name == labels[0] })
	})
}

// findBucketName is the name of a bucket with an ID; "": the state does not know it.
func (s *stateFile) findBucketName(id string) string {
	if s == nil {
		return ""
	}
	for _, r := range s.Resources {
		for _, i := range r.Instances {
			if r.Type == "b2_bucket" && i.text("bucket_id") == id && id != "" {
				return i.text("bucket_name")
			}
		}
	}
	return ""
}

// mayHaveValueOrNull reports whether an attribute of an object of a block, or of a block in it, has a
// value, which is written in JSON, or none; true where nothing is known.
func (s *stateFile) mayHaveValueOrNull(it *item, name, valueJSON string) bool {
	if s == nil || len(it.block.Labels) != 2 {
		return true
	}
	known := false
	for _, r := range s.Resources {
		if r.Type != it.block.Labels[0] || r.Name != it.block.Labels[1] {
			continue
		}
		for _, i := range r.Instances {
			all, err := json.Marshal(i.Attributes)
			known = known || err == nil
			if err != nil || bytes.Contains(all, []byte(`"`+name+`":`+valueJSON)) || bytes.Contains(all, []byte(`"`+name+`":null`)) {
				return true
			}
		}
	}
	return !known
}

// valuesByModuleAddress are the values of what stays, by the addresses of the module's instances: of a
// block with instances all of them. secret: it must not be written down.
func (s *stateFile) valuesByModuleAddress(m *migration, in *substituteVariable) (values map[string]cty.Value, secret bool) {
	switch {
	case in.replacedItem == nil:
		return nil, false
	case s == nil:
		return nil, in.toSecret || in.isWholeOfUnknownOrigin() || in.members == nil && strings.Contains(in.referencePath, "password")
	}
	secret = in.toSecret || in.isWholeOfUnknownOrigin()
	values = map[string]cty.Value{}
	labels := in.replacedItem.block.Labels
	mode := map[string]string{"resource": "managed", "data": "data"}[in.replacedItem.block.Type]
	for _, r := range s.Resources {
		at, path := m.moduleAt(r.Module)
		if at != in.replacedItem.module || r.Type != labels[0] || r.Name != labels[1] || r.Mode != mode {
			continue
		}
		byText, byNumber := map[string]cty.Value{}, []cty.Value{}
		for _, i := range r.Instances {
			v, ok := in.valueIn(i)
			secret = secret || in.members == nil && s.mayBeSecret(in, i, v, ok)
			switch key, _ := i.key(); {
			case !ok || i.Deposed != "":
			case key.IsSingle():
				values[path] = v
			case key.Value().Type() == cty.Number:
				byNumber = append(byNumber, v)
			default:
				byText[key.Value().AsString()] = v
			}
		}
		if len(byText) > 0 {
			values[path] = cty.ObjectVal(byText)
		} else if len(byNumber) > 0 {
			values[path] = cty.TupleVal(byNumber)
		}
	}
	return values, secret
}

// value is what an attribute holds; false: nothing.
func (i *stateInstance) value(attrPath []string) (attrValue cty.Value, found bool) {
	raw := withoutType(i.Attributes[attrPath[0]])
	for _, name := range attrPath[1:] {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return cty.NilVal, false
		}
		raw = object[name]
	}
	t, err := ctyjson.ImpliedType(raw)
	if err != nil {
		return cty.NilVal, false
	}
	v, err := ctyjson.Unmarshal(raw, t)
	return v, err == nil && !v.IsNull()
}

// b2formAddress is where an object of the state is declared here; why says that it is not.
func (m *migration) b2formAddress(r *stateResource, i *stateInstance) (a addr.Addr, it *item, why string) {
	key, legal := i.key()
	at := m.moveDestination(addr.Addr{Module: r.Module, Kind: r.Type, Label: r.Name, Instance: key})
	mod, path := m.moduleAt(at.Module)
	if mod != nil {
		it = mod.byReferenceName[at.Kind+"."+at.Label]
	}
	k := m.byType[r.Type]
	switch {
	case it == nil && m.isLetGo(at):
		return a, nil, "A removed block lets go of it: Terraform would forget it, and b2form leaves it alone, too."
	case mod == nil:
		return a, nil, "Its module is not carried over."
	case it == nil:
		return a, nil, "No block declares it. Terraform would destroy it; b2form leaves it alone."
	case it.fate != carried:
		return a, it, "Its block is not carried over."
	case !legal:
		odd, _ := json.Marshal(i.IndexKey) // what was read from JSON always encodes
		return a, it, fmt.Sprintf("%s is no instance key: that is a text, or a whole number from 0 on. Its ID is %s.",
			visible.EscapeTruncated(string(odd), 60), visible.EscapeTruncated(i.text(terraformName(k.FindAttr(k.IDAttr))), 60))
	case i.Deposed != "":
		return a, it, fmt.Sprintf("It is a deposed object, that a replacement left behind. Delete it in B2: its ID is %s.",
			i.text(terraformName(k.FindAttr(k.IDAttr))))
	}
	return addr.Addr{Module: path, Kind: k.Name, Label: at.Label, Instance: at.Instance}, it, ""
}
