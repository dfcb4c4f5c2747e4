package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/syntax"
	"b2form/schema/wire"
)

// answerSingleObject answers with a single object, which the given arguments name.
func (l *module) answerSingleObject(d *dataBlock, args map[string]string, identity string) cty.Value {
	k := d.form.kind
	by := k.IdentityAttr
	if _, named := args[by]; !named {
		by = k.IDAttr
	}
	at, arg := d.args[by].Expr.Range(), args[by]
	var found []*kind.Object
	if identity != "" {
		found = l.Snapshot.ByIdentity(k, identity)
	} else if o := l.Snapshot.ByID(k, arg); o != nil {
		found = append(found, o)
	}
	switch {
	case len(found) == 1:
		return l.liveObjectValue(d, found[0])
	case len(found) > 1:
		var ids []string
		for _, o := range found {
			ids = append(ids, o.ID)
		}
		l.errorAt(at, "Several "+k.Plural, fmt.Sprintf("There are %d %s named %q: %s. Choose one by %s.", len(found), k.Plural, arg,
			words.JoinAnd(ids), k.IDAttr))
	case k.ParentKind() != "":
		return l.answerOrReportAbsentChild(d, args, identity)
	default:
		l.reportNoSuchObject(at, k, by, arg, "")
	}
	return cty.UnknownVal(d.form.valueType)
}

// reportNoSuchObject reports that there is nothing which an argument names.
func (l *module) reportNoSuchObject(at hcl.Range, k *kind.Kind, by, arg, where string) {
	l.errorAt(at, "No such "+k.Name, fmt.Sprintf("These credentials see no %s with the %s %q%s. Correct it, or declare the %s as a "+
		"block of its own: data blocks read only what exists before the run.", k.Name, by, arg, where, k.Name))
}

// answerOrReportAbsentChild answers where nothing was found that is part of another object. Of
// settings of a whole object there are none then, which is an answer.
func (l *module) answerOrReportAbsentChild(d *dataBlock, args map[string]string, identity string) cty.Value {
	k := d.form.kind
	holder, by := l.kinds[k.ParentKind()], cmp.Or(k.ScopeAttr(), k.IdentityAttr)
	if identity == "" {
		l.reportNoSuchObject(d.args[k.IDAttr].Expr.Range(), holder, holder.IDAttr, args[k.IDAttr], "")
		return cty.UnknownVal(d.form.valueType)
	}
	id, seen := l.findIDInSnapshot(holder, k.ParentIdentity(identity))
	switch {
	case seen && k.ScopeAttr() == "":
		return unsetObject(k, identity, id)
	case seen:
		l.reportNoSuchObject(d.args[k.IdentityAttr].Expr.Range(), k, k.IdentityAttr, args[k.IdentityAttr],
			fmt.Sprintf(" in the %s %q", holder.Name, args[by]))
	default:
		l.reportNoSuchObject(d.args[by].Expr.Range(), holder, holder.IdentityAttr, args[by], "")
	}
	return cty.UnknownVal(d.form.valueType)
}

// unsetObject is an object in which nothing is set.
func unsetObject(k *kind.Kind, identity, id string) cty.Value {
	attrs := map[string]cty.Value{}
	for i := range k.Attrs {
		switch a, t := &k.Attrs[i], k.Attrs[i].ValueType(); {
		case a.Name == k.IdentityAttr:
			attrs[a.Name] = cty.StringVal(identity)
		case a.Name == k.IDAttr:
			attrs[a.Name] = cty.StringVal(id)
		case t.IsListType():
			attrs[a.Name] = cty.ListValEmpty(t.ElementType())
		default:
			attrs[a.Name] = cty.NullVal(t)
		}
	}
	return cty.ObjectVal(attrs)
}

// listingComplete is the attribute of data about parts that says whether these are all.
const listingComplete = "complete"

// listingFolders is the one with the folders beside them.
const listingFolders = "folders"

// answerListing answers with parts of one object.
func (l *module) answerListing(d *dataBlock, asked kind.ChildListQuery) cty.Value {
	k, holder, unknown := d.form.kind, l.kinds[d.form.kind.ParentKind()], unknownYetValue(d.form.valueType)
	found := l.Snapshot.FindChildListing(k, asked)
	if found == nil {
		l.shared.hasPendingData = true
		return unknown
	}
	if _, seen := l.findIDInSnapshot(holder, asked.ParentIdentity); !seen {
		l.reportNoSuchObject(d.args[k.ScopeAttr()].Expr.Range(), holder, holder.IdentityAttr, asked.ParentIdentity, "")
		return unknown
	}
	if found.More {
		l.add(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "More " + k.Plural + " than asked for", Subject: &d.place,
			Detail: fmt.Sprintf("The %s %q has more %s than the %d that %s asks for: it holds the first by name. Narrow them by %s, or "+
				"raise %s, up to %d.",
				k.ParentKind(), asked.ParentIdentity, k.Plural, asked.Limit, d.addr, syntax.DataNamePrefix, syntax.MaxCount,
				syntax.MostCount)})
	}
	answer := l.listDataAttrs(d, found.Objects)
	answer[listingComplete], answer[listingFolders] = cty.BoolVal(!found.More), textList(found.Folders)
	return cty.ObjectVal(answer)
}

// findIDInSnapshot finds an object with the identity, if only as one that the credentials are
// limited to.
func (l *module) findIDInSnapshot(k *kind.Kind, identity string) (id string, ok bool) {
	for _, id := range l.Snapshot.IDsOf(k, identity) {
		return id, true
	}
	return "", false
}

// answerAllObjects lists what is live, by name and then by ID.
func (l *module) answerAllObjects(d *dataBlock, prefix string) cty.Value {
	k := d.form.kind
	objects := slices.DeleteFunc(slices.Clone(l.Snapshot.AllRead(k)), func(o *kind.Object) bool {
		return !strings.HasPrefix(o.Identity, k.NormalizeIdentity(prefix))
	})
	slices.SortStableFunc(objects, func(a, b *kind.Object) int { return strings.Compare(a.Identity, b.Identity) })
	return cty.ObjectVal(l.listDataAttrs(d, objects))
}

func (l *module) listDataAttrs(d *dataBlock, objects []*kind.Object) map[string]cty.Value {
	k := d.form.kind
	names, list := cty.ListValEmpty(cty.String), cty.ListValEmpty(k.LiveType())
	if len(objects) > 0 {
		ns, vs := make([]cty.Value, len(objects)), make([]cty.Value, len(objects))
		for i, o := range objects {
			vs[i] = l.liveObjectValue(d, o)
			if !vs[i].IsKnown() { // an error says why
				return map[string]cty.Value{"names": cty.UnknownVal(cty.List(cty.String)), k.Plural: cty.UnknownVal(cty.List(k.LiveType()))}
			}
			ns[i] = vs[i].GetAttr(k.IdentityAttr) // as B2 answers it: an identity is in a normal form
		}
		if d.form.listsChildren { // versions of one name
			ns = slices.CompactFunc(ns, func(a, b cty.Value) bool { return a.AsString() == b.AsString() })
		}
		names, list = cty.ListVal(ns), cty.ListVal(vs)
	}
	return map[string]cty.Value{"names": names, k.Plural: list}
}

// An unreadableMark marks what B2 does not show to the credentials in use.
type unreadableMark struct{ attrReference, capability string }

// liveObjectValue is a live object as an expression sees it: secrets are null.
func (l *module) liveObjectValue(d *dataBlock, o *kind.Object) cty.Value {
	v, err := o.Value()
	if err != nil {
		l.errorAt(d.place, "B2's answer cannot be read", words.Sentence(err.Error())+" Either B2 has changed, or this is a defect of "+
			"b2form: please report it with this text.")
		return cty.UnknownVal(o.Kind.LiveType())
	}
	attrs := v.AsValueMap()
	var sensitive []string
	if l.SensitiveLiveAttrs != nil {
		sensitive = l.SensitiveLiveAttrs(o)
	}
	for i := range o.Kind.Attrs {
		a := &o.Kind.Attrs[i]
		switch v := attrs[a.Name]; {
		case a.Secret:
			attrs[a.Name] = cty.NullVal(a.ValueType())
		case !v.IsWhollyKnown():
			attrs[a.Name] = cty.UnknownVal(a.ValueType()).Mark(unreadableMark{d.addr + "." + a.Name, a.ReadCapability})
		default:
			v = a.ReplaceNestedSecrets(v, func(secret *kind.Attr, _ cty.Value) cty.Value { return cty.NullVal(secret.ValueType()) })
			attrs[a.Name] = config.NormalizedToNFC(convertOrUnknown(v, a.ValueType()))
		}
		if slices.Contains(sensitive, a.Name) {
			attrs[a.Name] = attrs[a.Name].Mark(kind.Sensitive)
		}
	}
	return cty.ObjectVal(attrs)
}

func accountDataValue(a *wire.Account) cty.Value {
	text := func(s string) cty.Value {
		if s == "" {
			return cty.NullVal(cty.String)
		}
		return cty.StringVal(s)
	}
	size := func(n int64) cty.Value {
		if n <= 0 {
			return cty.NullVal(cty.Number)
		}
		return cty.NumberIntVal(n)
	}
	buckets := cty.NullVal(cty.List(cty.String))
	if a.AllowedBuckets != nil {
		var names []string
		for _, b := range a.AllowedBuckets {
			names = append(names, b.Name)
		}
		buckets = textList(slices.Sorted(slices.Values(names)))
	}
	return cty.ObjectVal(map[string]cty.Value{
		"account_id": text(a.ID), "application_key_id": text(a.KeyID), "realm": text(a.Realm),
		"s3_endpoint": text(a.S3URL), "s3_region": text(a.S3Region()), "download_url": text(a.DownloadURL),
		"api_url":      text(a.APIURL),
		"capabilities": textList(slices.Sorted(slices.Values(a.Capabilities))), "buckets": buckets,
		syntax.DataNamePrefix:        text(a.NamePrefix),
		"absolute_minimum_part_size": size(a.SmallestPartSize), "recommended_part_size": size(a.RecommendedPartSize),
	})
}
