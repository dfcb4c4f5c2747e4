package emulator

import (
	"fmt"
	"sync"
)

// uploadTokens knows which upload tokens are in use. The service hands out a new
// one each time it is asked for an upload URL, and takes one upload at a time
// with each (b2_get_upload_url: to upload in parallel, request several).
type uploadTokens struct {
	mu        sync.Mutex
	madeCount int // tokens so far
	inUse     map[string]bool
}

// nextTokenNumber numbers a new token.
func (u *uploadTokens) nextTokenNumber() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.madeCount++
	return u.madeCount
}

func (u *uploadTokens) markInUse(token string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.inUse[token] {
		// Clients look for the code or for these very words and take another URL.
		return refuse(400, "auth_token_limit", "more than one upload using auth token %s", token)
	}
	if u.inUse == nil {
		u.inUse = map[string]bool{}
	}
	u.inUse[token] = true
	return nil
}

func (u *uploadTokens) resetCount() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.madeCount = 0
}

// newUploadToken gives the caller a new token for uploads to a bucket or large
// file.
func (c *call) newUploadToken(target string) string {
	mark := fmt.Sprintf("%05x", c.server.uploads.nextTokenNumber()&0xfffff)
	return c.server.markedToken(c.caller.ID, "upld"+target, mark, c.version, c.now)
}

// identifyAndHoldToken identifies the caller of an upload to a bucket or large file and
// keeps the token until the call is answered.
func (c *call) identifyAndHoldToken(target string) error {
	token := c.http.Header.Get("Authorization")
	if err := c.identify(token, "upld"+target); err != nil {
		return err
	}
	if !c.may("writeFiles") {
		return unauthorized()
	}
	if err := c.server.uploads.markInUse(token); err != nil {
		return err
	}
	c.heldUploadToken = token
	return nil
}

func (c *call) releaseUploadToken() {
	u := &c.server.uploads
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.inUse, c.heldUploadToken)
}
