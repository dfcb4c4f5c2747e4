//go:build !unix

package state

// noFollow is nothing here: that a file is no link is looked at before it is opened.
const noFollow = 0
