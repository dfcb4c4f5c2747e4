package state

import (
	"net"
	"net/url"
	"strings"
)

// realmWithoutLoopbackPort is what a state records of the URL at which an account authorizes: that of
// an emulator on this machine without its port, which is another one each time it starts.
func realmWithoutLoopbackPort(realm string) string {
	u, err := url.Parse(realm)
	if err != nil || u.Port() == "" {
		return realm
	}
	if host := u.Hostname(); host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return realm
	}
	u.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	return u.String()
}

// CanBelongTo reports whether a state may record objects of the account that authorizes at
// realm.
func (s *State) CanBelongTo(accountID, realm string) bool {
	return s.AccountID == "" || accountBinding{s.AccountID, s.Realm} == accountBinding{accountID, realmWithoutLoopbackPort(realm)}
}
