package secret

import (
	"errors"
	"fmt"

	"b2form/schema/config"
)

// Check finds what would keep Prepare from making deliveries ready, as far as that can be told without
// writing anything: what is in the place of a file, a program that is not there, or no standard output.
// The error joins an *Error of each delivery that cannot be made.
func Check(deliveries []config.Delivery, o DeliveryOptions) error {
	o.LiveLookup = nil // what is delivered is not known yet
	var refused []error
	for _, d := range deliveries {
		var err error
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
		if err != nil {
			refused = append(refused, refusalError(d, err))
		}
	}
	return errors.Join(refused...)
}

func refusalError(d config.Delivery, why error) *Error {
	return &Error{
		Summary: "Secret cannot be delivered",
		Detail:  fmt.Sprintf("The new key would be lost, so it was not made: %s.", why),
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
	return path, checkNotProtectedGitOrTemp(path, o.ProtectedPaths)
}
