package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"b2form/internal/words"
	"b2form/schema/addr"
)

// parseAddress reads an address of the command line with one of the functions of addr. The error says what is expected,
// and how keys get past the shell where quotes are all that is missing.
func parseAddress(s string, parse func(string) (addr.Addr, error)) (addr.Addr, error) {
	a, err := parse(s)
	if err == nil {
		return a, nil
	}
	quoted := quoteInstanceKeys(s)
	if _, quotedErr := parse(quoted); quotedErr != nil {
		return a, err
	}
	escaped := strings.ReplaceAll(quoted, `"`, `\"`)
	return a, fmt.Errorf("%q has an instance key without quotes, as where the shell took them away: write '%s' in most shells, \"%s\" in "+
		"cmd, '%s' in PowerShell before 7.3", s, quoted, escaped, escaped)
}

// quoteInstanceKeys puts what stands in brackets into quotes, but for numbers.
func quoteInstanceKeys(s string) string {
	return regexp.MustCompile(`\[[^\[\]"]+\]`).ReplaceAllStringFunc(s, func(key string) string {
		text := key[1 : len(key)-1]
		if _, err := strconv.Atoi(text); err == nil {
			return key
		}
		return `["` + text + `"]`
	})
}

// parseAll reads arguments that are addresses.
func parseAll(args []string, parse func(string) (addr.Addr, error)) ([]addr.Addr, error) {
	out := make([]addr.Addr, len(args))
	for i, arg := range args {
		a, err := parseAddress(arg, parse)
		if err != nil {
			return nil, failf("Invalid address", "%s", words.Sentence(err.Error()))
		}
		out[i] = a
	}
	return out, nil
}
