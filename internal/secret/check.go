package secret

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"b2form/internal/durable"
	"b2form/schema/config"
)

// Check finds what would keep Prepare from making deliveries ready, as far as that can be told without
// writing anything: what is in the place of a file, a program that is not there, or no standard output.
// The error joins an *Error of each delivery that cannot be made.
func Check(deliveries []config.Delivery, o DeliveryOptions) error {
	o.LiveLookup = nil // what is delivered is not known yet
	return checkEach(deliveries, func(d config.Delivery) (err error) {
		switch d.Type {
		case "age", "file":
			var path string
			if path, err = checkedFilePath(d, o); err == nil {
				err = checkReplaceable(path)
			}
		case "stdout":
			err = checkHasStdout(o)
		case "command":
			_, err = prepareProgram(KeyInfo{}, d, o)
		}
		return err
	})
}

// CheckPaths finds what Check does of the paths themselves, whatever is there and on whichever machine. A file whose path is
// not known yet has none.
func CheckPaths(deliveries []config.Delivery, o DeliveryOptions) error {
	return checkEach(deliveries, func(d config.Delivery) error {
		if d.Path == "" {
			return nil
		}
		_, err := checkedFilePath(d, o)
		if _, isOfMachine := errors.AsType[syscall.Errno](err); isOfMachine {
			return nil
		}
		return err
	})
}

// ReplacesFile reports whether a delivery would replace a file in which something stands, and none of keyIDs, which are those
// of keys that were delivered before: such a file was written by somebody else, as far as it tells. What cannot be read counts too.
func ReplacesFile(d config.Delivery, keyIDs []string) bool {
	const mostBytes = 1 << 20
	info, err := os.Lstat(d.Path)
	if d.Path == "" || err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false // what else is there Check refuses
	}
	text, err := durable.ReadFile(d.Path, mostBytes)
	return err != nil || !slices.ContainsFunc(keyIDs, func(id string) bool { return bytes.Contains(text, []byte(id)) })
}

func checkEach(deliveries []config.Delivery, check func(config.Delivery) error) error {
	var refused []error
	for _, d := range deliveries {
		if err := check(d); err != nil {
			refused = append(refused, refusalError(d, err))
		}
	}
	return errors.Join(refused...)
}

func refusalError(d config.Delivery, why error) *Error {
	return &Error{
		Summary: "Secret cannot be delivered",
		Detail:  fmt.Sprintf("The new key would be lost, so it is not made: %s.", why),
		Range:   d.Range,
		Cause:   why,
	}
}

func checkHasStdout(o DeliveryOptions) error {
	if o.Stdout == nil {
		return errors.New("there is no standard output to print it to: it is closed, leads to the null device, or takes JSON lines")
	}
	return nil
}

// checkedFilePath is where a file goes that may be replaced.
func checkedFilePath(d config.Delivery, o DeliveryOptions) (string, error) {
	path := d.Path
	if o.FilePath != nil {
		path = o.FilePath(d)
	}
	return path, checkNotProtectedGitOrTempName(path, o.ProtectedPaths)
}
