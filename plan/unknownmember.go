package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"b2form/internal/words"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

const mostUnknownNames = 10 // in a message

// warnLostMembers names what an update takes away unseen: see [FindUnknownMembers].
func (p *planner) warnLostMembers(r *config.Resource, o *kind.Object, fields []string) {
	for _, u := range FindUnknownMembers(o, fields) {
		rng := r.Block.RangeOf(u.AttrName)
		p.warnf(&rng, "The update takes away what b2form does not know",
			"In B2, %s of %s has settings that this release of b2form does not know: %s. B2 takes %[1]s as a whole, so they are gone "+
				"after the update. Keep what is there, change it with another program, or use a later release that knows them.",
			u.AttrName, r.Addr, words.JoinAtMost(u.QuotedNames, mostUnknownNames))
	}
}

// UnknownMembers are what B2 tells of an attribute and this release does not know.
type UnknownMembers struct {
	AttrName    string
	QuotedNames []string // of the members, sorted, each of bounded length
}

// FindUnknownMembers looks for members that this release does not know in those of the attributes that B2 takes as a whole, lists and
// objects: an update does not send them along, so that it takes them away. nil: there are none, or the object cannot be read.
func FindUnknownMembers(o *kind.Object, attrs []string) (found []UnknownMembers) {
	sentWhole := func(name string) bool { a := o.Kind.FindAttr(name); return a.Object != nil && !a.Encoding.AsMap }
	if !slices.ContainsFunc(attrs, sentWhole) {
		return nil
	}
	live, err := o.JSONMembers()
	if err != nil {
		return nil // what is unreadable was reported
	}
	for _, name := range attrs {
		if !sentWhole(name) {
			continue
		}
		path, known := liveAttrPath(o.Kind.FindAttr(name)), []kind.Attr(nil)
		for i := range o.Kind.Attrs {
			if other := &o.Kind.Attrs[i]; liveAttrPath(other) == path {
				known = append(known, other.Object...)
			}
		}
		value, _ := wire.MemberAt(live, path)
		if lost := unknownMembers(known, value, nil); len(lost) > 0 {
			slices.Sort(lost)
			found = append(found, UnknownMembers{name, slices.Compact(lost)})
		}
	}
	return found
}

func liveAttrPath(a *kind.Attr) string { return cmp.Or(a.Encoding.ReadPath, a.WirePath) }

// unknownMembers adds the quoted names of members that no attribute stands for, and that are not null.
func unknownMembers(attrs []kind.Attr, v any, found []string) []string {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			found = unknownMembers(attrs, e, found)
		}
	case map[string]any:
		found = unknownMembersBelow(attrs, "", v, found)
	}
	return found
}

// begins reports whether the path of an attribute is that one or goes on from there.
func begins(attrs []kind.Attr, path string) bool {
	return slices.ContainsFunc(attrs, func(a kind.Attr) bool { return strings.HasPrefix(liveAttrPath(&a)+".", path+".") })
}

// unknownMembersBelow does so for an object at a path that attributes' paths begin with.
func unknownMembersBelow(attrs []kind.Attr, prefix string, m map[string]any, found []string) []string {
	for name, v := range m {
		path := prefix + name
		exact := slices.IndexFunc(attrs, func(a kind.Attr) bool { return liveAttrPath(&a) == path })
		inner, isObject := v.(map[string]any)
		switch {
		case exact >= 0 && (attrs[exact].Object == nil || attrs[exact].Encoding.AsMap):
		case exact >= 0:
			found = unknownMembers(attrs[exact].Object, v, found)
		case !begins(attrs, path) && v != nil:
			found = append(found, wire.QuoteB2Text(fmt.Sprintf("%.60s", name)))
		case isObject:
			found = unknownMembersBelow(attrs, path+".", inner, found)
		}
	}
	return found
}
