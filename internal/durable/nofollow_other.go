//go:build !unix

package durable

// NoFollow is nothing here: that a file is no link is looked at before it is opened.
const NoFollow = 0

// openNonblock is nothing here: there are no pipes among the files.
const openNonblock = 0
