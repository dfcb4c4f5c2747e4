package words

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Durations says how ParseDuration wants a duration written.
const Durations = "write one like 30s, 5m, 12h, 40d or 1d12h, or a number of seconds"

// ParseDuration reads a duration: numbers with units, of which d is 24 hours and w seven
// days, or a number of seconds. What is longer than a time.Duration can be is the
// longest of those, in whole seconds. ok is false where text is none, or is negative.
func ParseDuration(text string) (d time.Duration, ok bool) {
	const longest = math.MaxInt64 / time.Second * time.Second
	total := 0.0
	if n, err := strconv.ParseFloat(text, 64); err == nil && strings.Trim(text, "0123456789.e") == "" {
		total, text, ok = n*float64(time.Second), "", true
	}
	for text != "" {
		n := 0
		for n < len(text) && (text[n] >= '0' && text[n] <= '9' || text[n] == '.') {
			n++
		}
		number, err := strconv.ParseFloat(text[:n], 64)
		if err != nil {
			return 0, false
		}
		end := strings.IndexAny(text[n:], "0123456789.")
		if end < 0 {
			end = len(text) - n
		}
		unit, known := unitOf(text[n : n+end])
		if !known {
			return 0, false
		}
		total += number * float64(unit)
		text, ok = text[n+end:], true
	}
	if total >= float64(longest) {
		return longest, ok
	}
	return time.Duration(math.Round(total)), ok
}

func unitOf(name string) (unit time.Duration, known bool) {
	switch name {
	case "d":
		return 24 * time.Hour, true
	case "w":
		return 7 * 24 * time.Hour, true
	}
	d, err := time.ParseDuration("1" + name)
	return d, err == nil
}
