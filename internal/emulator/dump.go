package emulator

import (
	"encoding/json"
	"fmt"
)

// An AccountDump is everything an account holds, as its master key would see it
// through version 4, without secrets. Each object is the service's own JSON.
type AccountDump struct {
	ID           string           `json:"accountId"`
	Buckets      []map[string]any `json:"buckets"` // by name
	Keys         []map[string]any `json:"keys"`    // live ones, by ID: oldest first
	FileVersions []map[string]any `json:"files"`   // by bucket name, file name, newest first
	// NotificationRules are those of each bucket that has any, by bucket name;
	// of signing secrets and header values it only says that they are there.
	NotificationRules []map[string]any `json:"notificationRules"`
}

// Dump gives the whole account, for comparison. It is no request: nothing
// counts it and no fault hits it.
func (s *Server) Dump() (AccountDump, error) {
	if err := s.CatchUpLifecycle(); err != nil {
		return AccountDump{}, err
	}
	c := &call{server: s, version: 4, now: s.now(), caller: s.master()}
	err := s.store.view(func(t tx) error {
		c.tx = t
		return c.dumpAccount()
	})
	if err != nil {
		return AccountDump{}, fmt.Errorf("emulator: dump: %w", err)
	}
	var a AccountDump
	if err := json.Unmarshal(c.out.out, &a); err != nil {
		return AccountDump{}, fmt.Errorf("emulator: dump: %w", err)
	}
	return a, nil
}

func (c *call) dumpAccount() error {
	w := &c.out
	w.begin("", '{')
	w.text("accountId", c.server.account.ID)
	w.begin("buckets", '[')
	var ids []string
	for _, id := range c.tx.scan("N", "N") {
		b, err := c.loadBucket(string(id))
		if err != nil {
			return err
		}
		ids = append(ids, b.ID)
		w.bucket(c, b)
	}
	w.end(']')
	w.begin("files", '[')
	for _, id := range ids {
		all := walk{bucketID: id}
		for f, err := range all.filesFromStoreKey(c.tx, all.bucketStoreKeyPrefix()) {
			if err != nil {
				return err
			}
			w.file(c, f)
		}
	}
	w.end(']')
	w.begin("notificationRules", '[')
	for _, id := range ids {
		var rules []notificationRule
		if _, err := load(c.tx, "r"+id, &rules); err != nil {
			return err
		}
		if len(rules) > 0 {
			w.notificationRules(id, redactSecretsAndHeaders(rules))
		}
	}
	w.end(']')
	w.begin("keys", '[')
	for at, record := range c.tx.scan("k", "k") {
		k, err := readKey(at, record)
		if err != nil {
			return err
		}
		if !k.Deleted && !k.expired(c.now) {
			w.key(c, k, "")
		}
	}
	w.end(']')
	w.end('}')
	return nil
}
