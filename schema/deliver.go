package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/agefile"
	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/folder"
	"b2form/schema/functions"
	"b2form/schema/kind"
	"b2form/schema/parse"
	"b2form/schema/syntax"
)

// A deliverBlock is one deliver block.
type deliverBlock struct {
	typ              string
	place            hcl.Range
	args             map[string]*hcl.Attribute
	refsOfOtherArgs  refs // of what is known before the key is made
	refsOfSecretArgs refs // of what may use it

	argNamesUsingSecret []string // the arguments given that may use it
	mayReadFiles        bool     // one of these
}

// addAllPostconditionsAndDeliveries evaluates the deliver blocks. They come after all resources,
// since they may use computed attributes of any of them.
func (l *module) addAllPostconditionsAndDeliveries() {
	sample := newScope(l, l.report, sampleLookup(l.Kinds))
	taken := &destinations{rangeByDestination: map[string]hcl.Range{}, rangeByFolder: map[string]hcl.Range{},
		realFolderByPath: map[string]string{}}
	for _, m := range l.shared.modules {
		for _, n := range m.nodes {
			if n.block != nil {
				m.addPostconditions(n.block)
				m.evaluateBlockDeliveries(n.block, sample.forModule(m), taken)
			}
		}
	}
}

func (l *module) evaluateBlockDeliveries(b *block, sample *scope, taken *destinations) {
	list := b.jsonDeliverBlocks
	for _, at := range b.nativeDeliverRanges {
		list = append(list, l.parseBlock(at).AsHCLBlock())
	}
	for _, raw := range list {
		if d := l.readDeliverBlock(b, raw); d != nil {
			l.addDeliveryToInstances(b, d, sample, taken)
		}
	}
	b.repetitions = nil // templates keep what they need
}

// readDeliverBlock reads one block; nil where it is of no use.
func (l *module) readDeliverBlock(b *block, raw *hcl.Block) *deliverBlock {
	d := &deliverBlock{typ: raw.Labels[0], place: raw.DefRange}
	f := syntax.ResourceBlock().FindNestedForm(raw.Type, d.typ)
	if f == nil {
		known := syntax.FormLabels(syntax.ResourceBlock().NestedForms(raw.Type))
		l.errorAt(raw.LabelRanges[0], "Unsupported delivery",
			fmt.Sprintf("There is no deliver %q; there are %s.%s", d.typ, words.JoinAnd(known), words.DidYouMean(d.typ, "", known)))
		return nil
	}
	content, complete := l.readContent(raw, f)
	if !complete {
		return nil
	}
	d.args = content.Attributes
	if d.args["format"] != nil && d.args["content"] != nil {
		l.errorAt(d.args["content"].NameRange, "format and content at once", "What is delivered has either a format or a content of "+
			"your own. Remove one of them.")
		return nil
	}
	for i := range f.Arguments {
		a := d.args[f.Arguments[i].Name]
		if a == nil {
			continue
		}
		u, into := allowedRefs{each: b.forEach != nil, count: b.count != nil}, &d.refsOfOtherArgs
		if f.Arguments[i].MayReferTo == syntax.EverythingAndSelf {
			d.argNamesUsingSecret = append(d.argNamesUsingSecret, a.Name)
			d.mayReadFiles = d.mayReadFiles || parse.CallsAny(a.Expr, functions.MayReadFiles)
			u.computed, u.selfAttrNames, into = true, deliverSelfAttrNames(b.kind), &d.refsOfSecretArgs
		}
		found := l.resolve(a.Expr.Variables(), u)
		into.list = append(into.list, found.list...)
		into.invalidRoots = append(into.invalidRoots, found.invalidRoots...)
	}
	return d
}

// addDeliveryToInstances adds one deliver block to each instance of its resource.
func (l *module) addDeliveryToInstances(b *block, d *deliverBlock, sample *scope, taken *destinations) {
	settings := l.staticScope.context(d.refsOfOtherArgs, l.baseContext)
	trial := l.newTrialInputs(d, sample.context(d.refsOfSecretArgs, l.baseContext))
	see := reusedContext{parent: settings, invalidRoots: d.refsOfOtherArgs.invalidRoots, report: l.report}
	e := new(instanceEvaluation)
	place := d.place // not a part of d, which would be kept with all that it is read from
	for i, r := range b.resources {
		rep := b.repetitions[i]
		*e = instanceEvaluation{module: l, block: b, addr: r.Addr, ctx: see.overwriteContext(rep), originAddrs: e.originAddrs[:0]}
		out := config.Delivery{Type: d.typ, Range: &place}
		if !e.evalNonSecretArgs(d, &out) || !e.checkFormatSuitsKey(d, &out, r.Value) || !e.reserveDestination(d, &out, taken) {
			continue
		}
		tried, ok := e.tryRender(d, &out, rep, trial)
		if !ok {
			continue
		}
		if d.args["content"] != nil {
			out.RenderContent = l.contentRenderer(d, b.kind, rep, tried.reads)
		}
		if d.args["environment"] != nil {
			out.RenderEnvironment = l.environmentRenderer(d, b.kind, rep, tried.reads)
		}
		e.setDigests(&out, tried)
		e.setApprovalDigest(d, &out, trial, tried, rep)
		r.Deliveries = append(r.Deliveries, out)
		if more := mergeAddrs(r.Needs, e.originAddrs); len(more) > len(r.Needs) {
			r.Needs, l.shared.hasNeedsBesideArgs = more, true
		}
	}
}

// destinations are what deliveries write to.
type destinations struct {
	rangeByDestination map[string]hcl.Range // where each is written
	rangeByFolder      map[string]hcl.Range // where the first destination below it is written
	realFolderByPath   map[string]string    // without links, by what they are called
}

// withRealFolder is a path whose folder is called by its own name: two paths may lead to one
// file.
func (d *destinations) withRealFolder(path string) string {
	dir := filepath.Dir(path)
	real, known := d.realFolderByPath[dir]
	if !known {
		real = folder.WithoutLinks(dir)
		d.realFolderByPath[dir] = real
	}
	return filepath.Join(real, filepath.Base(path))
}

// conflictOf is where a destination is written that is a folder of path, or below path, if any: one of the two
// would have to be a file and a folder.
func (d *destinations) conflictOf(path string) (at hcl.Range, found bool) {
	if at, found = d.rangeByFolder[path]; found {
		return at, true
	}
	for dir := filepath.Dir(path); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if at, found = d.rangeByDestination[dir]; found {
			return at, true
		}
	}
	return hcl.Range{}, false
}

func (d *destinations) add(path string, at hcl.Range) {
	d.rangeByDestination[path] = at
	for dir := filepath.Dir(path); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, known := d.rangeByFolder[dir]; known {
			return
		}
		d.rangeByFolder[dir] = at
	}
}

// reserveDestination reports a destination that another delivery overwrites or that is in the way of one. What a
// program does with a secret is not known.
func (e *instanceEvaluation) reserveDestination(d *deliverBlock, out *config.Delivery, taken *destinations) (free bool) {
	if d.typ == "command" {
		return true
	}
	destination := out.Path
	if !filepath.IsAbs(destination) {
		destination = filepath.Join(e.module.Cwd, destination)
	}
	if destination = taken.withRealFolder(filepath.Clean(destination)); out.Path == "" {
		destination = "stdout of " + e.addr.String()
	}
	if first, known := taken.rangeByDestination[destination]; known {
		e.reportAt(hcl.DiagError, d.targetRange(), "Duplicate destination",
			fmt.Sprintf("%s is a destination already at %s. Give each secret a "+
				"place of its own.", out.DisplayName, first))
		return false
	}
	if first, found := taken.conflictOf(destination); found {
		e.reportAt(hcl.DiagError, d.targetRange(), "Conflicting destinations",
			fmt.Sprintf("%s and the destination at %s lie one below the other, so one path would have to be a file and a folder. "+
				"Give one of them another path.", out.DisplayName, first))
		return false
	}
	taken.add(destination, d.targetRange())
	return true
}

// checkFormatSuitsKey reports a format that tells a program its one bucket, where the key has none
// or several, or a folder, which Joplin does not know.
func (e *instanceEvaluation) checkFormatSuitsKey(d *deliverBlock, out *config.Delivery, key kind.Values) (suits bool) {
	buckets, prefix := key.GetAttr("buckets"), key.GetAttr("name_prefix")
	if !slices.Contains(syntax.SingleBucketFormats(), out.Format) || !buckets.IsKnown() || !prefix.IsKnown() {
		return true
	}
	var detail string
	switch {
	case buckets.IsNull() || buckets.LengthInt() != 1:
		detail = "It tells the program its bucket. Limit the key to one, as in buckets = [bucket.photos], or write a content."
	case out.Format == "joplin" && !prefix.IsNull() && prefix.AsString() != "":
		detail = "Joplin works in a whole bucket and knows no folder. Remove name_prefix."
	default:
		return true
	}
	e.reportAt(hcl.DiagError, d.args["format"].Expr.Range(), "Format does not suit the key", detail)
	return false
}

// targetRange is where the destination is written.
func (d *deliverBlock) targetRange() hcl.Range {
	if path := d.args["path"]; path != nil {
		return path.Expr.Range()
	}
	return d.place
}

// A trialResult is what came of the arguments that may use the secret, with made-up values.
type trialResult struct {
	texts        []string    // without what is sensitive
	earlierTexts []string    // as earlier releases had them
	values       []cty.Value // with what is sensitive
	reads        folder.Reads
}

// tryRender renders what may use the secret with made-up values, so that its errors
// show now.
func (e *instanceEvaluation) tryRender(d *deliverBlock, out *config.Delivery, rep repetitionData,
	trial *trialInputs) (tried trialResult, ok bool) {
	tried, ok = trialResult{texts: []string{""}, earlierTexts: []string{""}}, true
	add := func(texts ...string) {
		tried.texts, tried.earlierTexts = append(tried.texts, texts...), append(tried.earlierTexts, texts...)
	}
	clear(trial.reads)
	ctx := rep.context(trial.template, d.refsOfSecretArgs.invalidRoots)
	for _, name := range d.argNamesUsingSecret {
		a := d.args[name]
		v, diags := e.module.renderArgument(d, name, ctx, selfSample(e.block.kind), trial.functions)
		e.report().add(diags...)
		for _, m := range kind.ComputedMarksIn(v) {
			if k := e.module.kinds[m.Addr.Kind]; m.Addr != e.addr && (k.YieldsSecret() || m.Attr == k.IDAttr) {
				ok = ok && e.checkNotSecretOfAnother(a, k, m)
				out.HoldsIDsOf = mergeAddrs(out.HoldsIDsOf, []addr.Addr{m.Addr})
			}
		}
		beside := nonsensitiveMembers(v)
		v, marks := v.UnmarkDeep()
		e.collectMarks(marks)
		tried.values = append(tried.values, v)
		switch {
		case diags.HasErrors() || !v.IsWhollyKnown():
			ok = false
		case marks.Has(kind.Sensitive):
			// What the state records must not let anybody guess a sensitive value.
			at := a.Expr.Range()
			add("sensitive", string(at.SliceBytes(e.module.config.Files[at.Filename].Bytes)))
			if len(beside) > 0 {
				tried.texts = append(append(tried.texts, "beside"), beside...)
			}
			out.HasOtherSensitive = true
		case name == "content":
			tried.texts[0], tried.earlierTexts[0] = v.AsString(), v.AsString()
		default:
			add(name)
			add(beside...)
		}
	}
	tried.reads = maps.Clone(trial.reads)
	return tried, ok
}

// checkNotSecretOfAnother refuses the secret of another object, which nobody has once that is made.
func (e *instanceEvaluation) checkNotSecretOfAnother(a *hcl.Attribute, k *kind.Kind, m kind.ComputedMark) (ok bool) {
	if k.FindAttr(m.Attr).Secret {
		e.reportAt(hcl.DiagError, a.Expr.Range(), "Secret of another "+k.Name, fmt.Sprintf("%s.%s is known only in B2's answer to the "+
			"creation of %[1]s, so it cannot be delivered with %[3]s. Deliver it in a block of %[1]s.", m.Addr, m.Attr, e.addr))
	}
	return !k.FindAttr(m.Attr).Secret
}

// setDigests identifies a delivery, to a file by its place as the configuration's folder sees it, wherever that is.
func (e *instanceEvaluation) setDigests(d *config.Delivery, tried trialResult) {
	destination := d.DisplayName
	if d.Path != "" {
		destination = e.module.shared.rootOptions.destinationFromRoot(d.DisplayName)
		sum := sha256.Sum256([]byte(destination))
		d.FileDigest = hex.EncodeToString(sum[:16])
	}
	d.SettingsDigest = deliveryDigest(d, destination, tried.texts)
	for _, earlier := range []string{destination, d.DisplayName, e.earlierDestination} {
		if earlier == "" {
			continue
		}
		digest := deliveryDigest(d, earlier, tried.earlierTexts)
		if digest != d.SettingsDigest && !slices.Contains(d.EarlierDigests, digest) {
			d.EarlierDigests = append(d.EarlierDigests, digest)
		}
	}
}

// destinationFromRoot is a path as the configuration's folder sees it, where it leads to a file below that or is
// relative to it.
func (o Options) destinationFromRoot(path string) string {
	if !filepath.IsAbs(path) {
		return filepath.ToSlash(filepath.Clean(path))
	}
	root, err := filepath.Abs(o.Dir)
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(folder.WithoutLinks(root), folder.WithoutLinks(filepath.Clean(path)))
	if err != nil || !filepath.IsLocal(rel) {
		return path
	}
	return filepath.ToSlash(rel)
}

// deliveryDigest identifies a delivery to a destination; renderedTexts are what was rendered for it.
func deliveryDigest(d *config.Delivery, destination string, renderedTexts []string) string {
	parts := slices.Concat([]string{d.Type, destination, d.Format}, renderedTexts, d.Command)
	if d.Type == "age" {
		readers := make([]string, len(d.Recipients))
		for i, r := range d.Recipients {
			readers[i] = agefile.RecipientWithoutComment(r)
		}
		slices.Sort(readers)
		parts = append(parts, slices.Compact(readers)...)
	}
	return textsDigest(parts)
}
