package emulator

import (
	"fmt"
	"math"
	"strconv"
)

// File versions come in millions and are listed ten thousand at a time, so
// their records are lists of strings, as those of keys are; and what their key
// in the store says is not said again.

// storeKey is where the store has the version: after its name, newest first.
func (f file) storeKey() string {
	return versionStoreKey(f.BucketID, f.Name, f.UploadMillis, f.CreationOrder)
}

func versionStoreKey(bucketID, name string, millis int64, order uint64) string {
	return fmt.Sprintf("f%s/%s\x00%016x%016x", bucketID, name, math.MaxUint64-uint64(millis), math.MaxUint64-order)
}

// readVersionStoreKey takes a key of the store apart.
func readVersionStoreKey(key string) (f file, ok bool) {
	const (
		nameStart = 1 + bucketIDLength + 1
		placeSize = 32
	)
	end := len(key) - placeSize - 1
	if end < nameStart || key[end] != 0 {
		return f, false
	}
	millis, err := strconv.ParseUint(key[end+1:end+17], 16, 64)
	if err != nil {
		return f, false
	}
	order, err := strconv.ParseUint(key[end+17:], 16, 64)
	f.BucketID, f.Name = key[1:nameStart-1], key[nameStart:end]
	f.UploadMillis, f.CreationOrder = int64(math.MaxUint64-millis), math.MaxUint64-order
	return f, err == nil
}

// fixedFields is how many fields a record has before file info and pieces.
const fixedFields = 14

// record is what the store has of a version.
func (f file) record() []byte {
	fields := append(make([]string, 0, fixedFields+2*len(f.Info)+2*len(f.LargeFileParts)),
		f.ID, f.Action, strconv.FormatInt(f.Length, 10), f.SHA1, f.MD5OrETag, f.ContentType,
		f.Encryption.Mode, f.Encryption.Algorithm, f.CustomerKeyMD5,
		f.Lock.Mode, strconv.FormatInt(f.Lock.UntilMillis, 10), f.Lock.Hold,
		f.ReplicationStatus, strconv.Itoa(len(f.Info)))
	for _, k := range sortedKeys(f.Info) {
		fields = append(fields, k, f.Info[k])
	}
	for _, p := range f.LargeFileParts {
		fields = append(fields, p.ContentID, strconv.FormatInt(p.Length, 10))
	}
	return pack(fields...)
}

// readFile gives the version with the key and record.
func readFile(storeKey string, record []byte) (file, error) {
	f, ok := readVersionStoreKey(storeKey)
	fields, whole := unpack(record)
	if !ok || !whole || len(fields) < fixedFields || len(fields)%2 != 0 {
		return file{}, fmt.Errorf("the record %q is damaged", storeKey)
	}
	var bad error
	number := func(text string) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			bad = fmt.Errorf("the record %q is damaged: %w", storeKey, err)
		}
		return n
	}
	f.ID, f.Action, f.Length = fields[0], fields[1], number(fields[2])
	f.SHA1, f.MD5OrETag, f.ContentType = fields[3], fields[4], fields[5]
	f.Encryption, f.CustomerKeyMD5 = encryption{fields[6], fields[7]}, fields[8]
	f.Lock = fileLock{fields[9], number(fields[10]), fields[11]}
	f.ReplicationStatus = fields[12]
	infos, rest := number(fields[13]), fields[fixedFields:]
	for ; infos > 0 && len(rest) > 0; infos, rest = infos-1, rest[2:] {
		if f.Info == nil {
			f.Info = map[string]string{}
		}
		f.Info[rest[0]] = rest[1]
	}
	for ; len(rest) > 0; rest = rest[2:] {
		f.LargeFileParts = append(f.LargeFileParts, largeFilePart{rest[0], number(rest[1])})
	}
	return f, bad
}

// loadFile gives the version at a key of the store, if there is one.
func loadFile(t tx, storeKey string) (loaded file, found bool, err error) {
	record := t.get(storeKey)
	if record == nil {
		return file{}, false, nil
	}
	f, err := readFile(storeKey, record)
	return f, err == nil, err
}

// saveFile stores a version that may be there already.
func saveFile(t tx, f file) { t.put(f.storeKey(), f.record()) }
