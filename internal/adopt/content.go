package adopt

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"

	"b2form/internal/view"
	"b2form/schema/kind"
)

// ContentFolder is where local files with content are, in a folder for each parent.
const ContentFolder = "files"

// A ContentToDownload is what an object holds: what to download, and where to.
type ContentToDownload struct {
	Object        *kind.Object
	LocalPath     string // of the local file, relative, with slashes; no other has it, in whatever letter case
	FileVersionID string // B2's ID of what is downloaded
	Size          int64  // in bytes
	SHA1          string // in hexadecimal digits
}

// ContentsToDownload lists what the objects of a kind hold that can be declared and is not yet, and
// what cannot be. It downloads nothing.
func ContentsToDownload(r Request, k *kind.Kind, objects []*kind.Object) (contents []ContentToDownload, undeclarable []UndeclarableObject,
	err error) {
	w := newWriter(r)
	c := w.newCollector(k)
	objects = slices.Clone(objects)
	// A folder comes before the file of its name, which then has another path.
	slices.SortFunc(objects, func(a, b *kind.Object) int { return strings.Compare(b.Identity, a.Identity) })
	paths := newPathSet()
	for _, o := range slices.CompactFunc(objects, func(a, b *kind.Object) bool { return a.Identity == b.Identity }) {
		if _, owned := w.ownerAddrByID[ObjectID{k.Name, o.ID}]; w.OnlyAddresses == nil && (owned || w.mayAlreadyBeDeclared(o)) {
			continue
		}
		live, err := o.Values()
		if err != nil {
			return nil, nil, err
		}
		content := ContentToDownload{Object: o, LocalPath: paths.reserveFilePath(ContentFolder+"/"+k.ParentIdentity(o.Identity),
			live.GetAttr(k.IdentityAttr).AsString())}
		_, why := c.valuesToDeclare(live, content.LocalPath)
		if why == "" {
			why = content.fillFrom(live)
		}
		if why != "" {
			undeclarable = append(undeclarable, UndeclarableObject{k.Name, o.Identity, why})
			continue
		}
		contents = append(contents, content)
	}
	return contents, undeclarable, nil
}

// fillFrom takes over what B2 tells of a content, or says why that is not enough.
func (c *ContentToDownload) fillFrom(live kind.Values) (why string) {
	k := c.Object.Kind
	sum, size := live.GetAttr(k.Content.SHA1Attr), live.GetAttr(k.Content.SizeAttr)
	switch {
	case sum.IsNull():
		return "B2 tells no SHA-1 of it that it could be compared by, as of what was uploaded in parts."
	}
	c.Size, _ = size.AsBigFloat().Int64()
	c.SHA1, c.FileVersionID = sum.AsString(), live.GetAttr(k.Content.VersionIDAttr).AsString()
	if c.Size > k.Content.MaxSize {
		return fmt.Sprintf("it has %d bytes, and what is declared at most %d MB.", c.Size, k.Content.MaxSize/1_000_000)
	}
	return ""
}

// A reservedPaths gives names that others chose to local files, of which no two are one in a
// file system that knows no letter case, and none leads elsewhere or means something.
type reservedPaths map[string]isFolder // by what a path is compared by

type isFolder bool

func newPathSet() reservedPaths { return reservedPaths{} }

// reserveFilePath gives the path of a new file in a folder: by its name, where that will do.
func (s reservedPaths) reserveFilePath(folder, name string) (path string) {
	if path := folder + "/" + name; isPortable(name) && s.reserve(path) {
		return path
	}
	sum := sha256.Sum256([]byte(name))
	for digits := 12; ; digits++ {
		if path := folder + "/unnamed-" + hex.EncodeToString(sum[:])[:digits]; s.reserve(path) {
			return path
		}
	}
}

// reserve reserves a path; false where a file has it, or where it or a folder of it is the other.
func (s reservedPaths) reserve(path string) (ok bool) {
	path = norm.NFC.String(strings.ToLower(strings.ToUpper(path)))
	if _, taken := s[path]; taken {
		return false
	}
	var folders []string
	for i, r := range path {
		if r == '/' {
			if folder, taken := s[path[:i]]; taken && !bool(folder) {
				return false
			}
			folders = append(folders, path[:i])
		}
	}
	for _, folder := range folders {
		s[folder] = true
	}
	s[path] = false
	return true
}

var (
	// unportable is what file systems, shells and git do not take as part of a name, or take for
	// something else.
	unportable = regexp.MustCompile(`[\x00-\x1f\x7f-\x{9f}<>:"|?*\\\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}]`)
	// reservedPathPart are the parts of a path that mean something: to Windows, to git and to b2form.
	reservedPathPart = regexp.MustCompile(`(?i)^(\.{0,2}|.*[. ]|~.*|\.git.*|git~.*|\.b2form.*|(con|prn|aux|nul|com\d|lpt\d)(\..*)?)$`)
)

// isPortable reports whether a name can be that of a local file everywhere.
func isPortable(name string) bool {
	parts := strings.Split(name, "/")
	return len(name) <= 800 && norm.NFC.IsNormalString(name) && !unportable.MatchString(name) &&
		!slices.ContainsFunc(parts, func(part string) bool { return len(part) > 200 || reservedPathPart.MatchString(part) })
}

// foldContentFamilies puts objects of one parent into one block that differ in their names alone,
// and whose content is in local files of these names.
func (w *writer) foldContentFamilies(items []*item) []*item {
	families := map[string][]*item{}
	var order []string
	for i, it := range items {
		sig := w.contentFamilySignature(it)
		if sig == "" {
			sig = fmt.Sprint(i)
		}
		if families[sig] == nil {
			order = append(order, sig)
		}
		families[sig] = append(families[sig], it)
	}
	var out []*item
	for _, sig := range order {
		if members := families[sig]; len(members) < leastFamily {
			out = append(out, members...)
		} else {
			out = append(out, w.contentFamily(members))
		}
	}
	return out
}

// contentFamilySignature is what objects of one family have in common; "": it is of none.
func (w *writer) contentFamilySignature(it *item) string {
	folder, ok := strings.CutSuffix(w.ContentPaths[ObjectID{it.kind.Name, it.id}], "/"+it.name)
	if !ok || it.requestedAddress != nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(folder + "\n")
	for _, a := range it.args {
		if a.name != it.kind.IdentityAttr && a.name != it.kind.Content.SourceAttr {
			w.writeArgSignature(&b, a, "")
		}
	}
	return b.String()
}

func (w *writer) contentFamily(members []*item) *item {
	first := members[0]
	folder, _ := strings.CutSuffix(w.ContentPaths[ObjectID{first.kind.Name, first.id}], first.name)
	f := &item{kind: first.kind, id: first.id, name: first.name, args: slices.Clone(first.args), members: members,
		instanceKeyByID: map[string]string{}, labelHint: first.kind.ParentIdentity(w.identityOf(first))}
	for _, it := range members {
		f.instanceKeys = append(f.instanceKeys, it.name)
		f.instanceKeyByID[it.id] = it.name
		w.referenceTargets[ObjectID{it.kind.Name, it.id}] = referenceTarget{item: f}
	}
	f.memberIdentityExpr = prefixedEachKeyExpr(f.labelHint + "/")
	slices.Sort(f.instanceKeys)
	for i := range f.args {
		switch f.args[i].name {
		case f.kind.IdentityAttr:
			f.args[i].value = "each.key"
		case f.kind.Content.SourceAttr:
			f.args[i].value = prefixedEachKeyExpr(folder)
		}
	}
	return f
}

// prefixedEachKeyExpr is the expression for a text with an instance of a family behind it.
func prefixedEachKeyExpr(text string) string {
	return strings.TrimSuffix(view.FormatHCLHidingSensitive(cty.StringVal(text)), `"`) + `${each.key}"`
}

func (w *writer) identityOf(it *item) string { return w.Snapshot.ByID(it.kind, it.id).Identity }
