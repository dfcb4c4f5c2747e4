package bucket

import (
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// What a replication needs of the keys and buckets that it names. B2 takes a
// replication whose keys cannot do their work and then copies nothing, so these
// are warnings.

// checkReplicationSourceKey judges the key of a source.
func checkReplicationSourceKey(bucketWithReplication, key kind.AttrReader) kind.Problems {
	ps := checkReplicationKey(bucketWithReplication, key, "readFiles", "read")
	prefix := key.GetAttr("name_prefix")
	if prefix.IsNull() || !prefix.IsKnown() {
		return ps
	}
	for _, r := range replicationRulesOf(bucketWithReplication.GetAttr("replication")) {
		if !strings.HasPrefix(fileNamePrefixOf(r), prefix.AsString()) {
			ps = append(ps, kind.Warnf("Key does not reach all files", "The replication rule %q copies %s, but its key reaches only %s.",
				r.GetAttr("name").AsString(), describeFiles(fileNamePrefixOf(r)), describeFiles(prefix.AsString()))...)
		}
	}
	return ps
}

// checkReplicationDestinationKey judges the key of a destination.
func checkReplicationDestinationKey(bucketWithReplication, key kind.AttrReader) kind.Problems {
	return checkReplicationKey(bucketWithReplication, key, "writeFiles", "write")
}

// checkReplicationKey judges what both need of a key.
func checkReplicationKey(bucketWithReplication, key kind.AttrReader, capability, verb string) kind.Problems {
	var ps kind.Problems
	name := key.GetAttr("name").AsString()
	if caps := kind.StringsIfWhollyKnown(key.GetAttr("capabilities")); caps != nil && !slices.Contains(caps, capability) {
		ps = append(ps, kind.Warnf("Key cannot replicate", "The key %q lacks the capability %s, without which B2 cannot %s files here "+
			"for the replication.", name, capability, verb)...)
	}
	bucket := bucketWithReplication.GetAttr("name").AsString()
	if limit := kind.StringsIfWhollyKnown(key.GetAttr("buckets")); limit != nil &&
		!slices.ContainsFunc(limit, func(b string) bool { return strings.EqualFold(b, bucket) }) {
		ps = append(ps, kind.Warnf("Key of another bucket", "The key %q is limited to %s, so B2 cannot %s files in %s with it.", name,
			strings.Join(limit, ", "), verb, bucket)...)
	}
	if lasts := key.GetAttr("valid_duration"); !lasts.IsNull() && lasts.IsKnown() && key.GetAttr("rotate").IsNull() {
		ps = append(ps, kind.Warnf("Replication ends with its key", "The key %q expires after %s, and B2 copies nothing from then on. "+
			"Leave valid_duration out, or renew the key with rotate.",
			name, lasts.AsString())...)
	}
	return ps
}

// checkDestinationListsKey judges the bucket that a rule copies to.
func checkDestinationListsKey(sourceBucket, destinationBucket kind.AttrReader) kind.Problems {
	source := findKnownMember(sourceBucket.GetAttr("replication"), "source")
	if source == cty.NilVal || !destinationBucket.GetAttr("replication").IsWhollyKnown() {
		return nil
	}
	key := source.GetAttr("key")
	for _, pair := range replicationKeyPairsOf(destinationBucket.GetAttr("replication")) {
		if pair.GetAttr("source").RawEquals(key) {
			return nil
		}
	}
	return kind.Warnf("Destination does not take the copies",
		"Bucket %s has no replication.destination for the key %q, so B2 cannot write there. Add destination = { keys = [{ source = …, "+
			"destination = … }] } to its replication.",
		destinationBucket.GetAttr("name").AsString(), key.AsString())
}
