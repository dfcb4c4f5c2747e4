package wire

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ContentsCount is what goes with a bucket, or with a file, that is deleted with
// everything it holds: versions, hide markers and unfinished large files.
type ContentsCount struct {
	Versions      int
	Bytes         int64
	More          bool // there is more than what was counted
	ListingDenied bool // the credentials in use may not look
	// Locked is how many of the versions Object Lock protects, Held how many of these by a legal hold, and RetainedUntil
	// when the last retention ends; zero: none has one. Credentials that may not read locks see none.
	Locked, Held  int
	RetainedUntil time.Time
}

// MostCounted is how many versions are counted where people are told, and VersionsPerPage how many one
// request counts, which is one Class C transaction ("b2_list_file_versions").
const MostCounted, VersionsPerPage = 10_000, 1000

// CountVersions counts what a bucket holds, or with a name one file in it, until it
// comes to more than most. A bucket that is gone holds nothing. Unfinished large files count too. Retentions that ended
// before now, by B2's clock, protect nothing.
func CountVersions(ctx context.Context, api API, bucketID, fileName string, most int, now time.Time) (ContentsCount, error) {
	const method = "b2_list_file_versions"
	var found ContentsCount
	in := map[string]any{"bucketId": bucketID}
	if fileName != "" {
		in["prefix"], in["startFileName"] = fileName, fileName
	}
	var paging PagingGuard
	for {
		var page struct {
			Files []struct {
				Action, FileName, FileID string
				ContentLength            int64
				FileRetention            struct {
					Value struct{ RetainUntilTimestamp int64 }
				}
				LegalHold struct{ Value string }
			}
			NextFileName, NextFileID *string
		}
		in["maxFileCount"] = min(VersionsPerPage, most-found.Versions)
		err := api.Call(ctx, method, in, &page)
		var refused *Error
		switch {
		case IsNoSuchBucket(err):
			return ContentsCount{}, nil
		case errors.As(err, &refused) && (refused.Status == 401 || refused.Status == 403):
			return ContentsCount{ListingDenied: true}, nil
		case err == nil && page.Files == nil:
			err = MisshapenReply(method)
		}
		if err != nil {
			return ContentsCount{}, err
		}
		var ids []string
		for _, f := range page.Files {
			if fileName != "" && f.FileName != fileName {
				return found, nil // versions of one file are listed together
			}
			found.Versions++
			found.Bytes += f.ContentLength
			if f.Action == "upload" { // an upload that is not finished can be cancelled
				found.addLock(time.UnixMilli(f.FileRetention.Value.RetainUntilTimestamp).UTC(), f.LegalHold.Value == "on", now)
			}
			ids = append(ids, f.FileID)
		}
		if page.NextFileName == nil || fileName != "" && *page.NextFileName != fileName {
			return found, nil
		}
		if found.Versions == most {
			found.More = true
			return found, nil
		}
		at := *page.NextFileName
		if page.NextFileID != nil {
			in["startFileId"] = *page.NextFileID
			at += "/" + *page.NextFileID
		}
		in["startFileName"] = *page.NextFileName
		if err := paging.Advance(method, at, ids); err != nil {
			return ContentsCount{}, err
		}
	}
}

func (c *ContentsCount) addLock(retainedUntil time.Time, held bool, now time.Time) {
	retained := retainedUntil.After(now)
	if held {
		c.Held++
	}
	if retained && retainedUntil.After(c.RetainedUntil) {
		c.RetainedUntil = retainedUntil
	}
	if held || retained {
		c.Locked++
	}
}

// Plus is the sum of both.
func (c ContentsCount) Plus(d ContentsCount) ContentsCount {
	if c.RetainedUntil.Before(d.RetainedUntil) {
		c.RetainedUntil = d.RetainedUntil
	}
	return ContentsCount{c.Versions + d.Versions, c.Bytes + d.Bytes, c.More || d.More, c.ListingDenied || d.ListingDenied,
		c.Locked + d.Locked, c.Held + d.Held, c.RetainedUntil}
}

// LockedError says that what was counted cannot be deleted because of Object Lock, and until when; nil: nothing in it is locked.
func (c ContentsCount) LockedError() *ExplainedError {
	if c.Locked == 0 {
		return nil
	}
	var locks, ends []string
	if !c.RetainedUntil.IsZero() {
		locks = append(locks, "the last retention ends at "+c.RetainedUntil.Format("2006-01-02 15:04:05 UTC"))
		ends = append(ends, "the retention has ended")
	}
	if c.Held > 0 {
		locks = append(locks, fmt.Sprintf("versions under legal hold: %d", c.Held))
		ends = append(ends, "the legal holds are lifted")
	}
	return Explainedf("Files are protected by Object Lock",
		"File versions that B2 does not delete: %d of %s; %s. Run again once %s: b2form lifts no lock, and nobody "+
			"shortens a retention in compliance mode. To keep the files and only stop managing this, use `b2form state rm`.",
		c.Locked, c, strings.Join(locks, ", "), strings.Join(ends, " and "))
}

// String says it in a few words: "3 versions with 12 bytes".
func (c ContentsCount) String() string {
	switch {
	case c.ListingDenied:
		return "nobody knows how many, since the credentials in use may not list files"
	case c.More:
		return "more than " + strings.Replace(strconv.Itoa(c.Versions), "0000", "0 000", 1) + " versions"
	case c.Versions == 0:
		return "there are none"
	case c.Versions == 1:
		return "1 version with " + formatSize(c.Bytes)
	}
	return fmt.Sprintf("%d versions with %s", c.Versions, formatSize(c.Bytes))
}

// formatSize writes a number of bytes in the unit in which B2 bills: a kilobyte is 1000 bytes.
func formatSize(n int64) string {
	switch {
	case n == 1:
		return "1 byte"
	case n < 10_000:
		return fmt.Sprintf("%d bytes", n)
	}
	f := float64(n) / 1000
	for _, unit := range []string{"kB", "MB", "GB", "TB"} {
		if f < 1000 {
			return fmt.Sprintf("%.1f %s", f, unit)
		}
		f /= 1000
	}
	return fmt.Sprintf("%.1f PB", f)
}
