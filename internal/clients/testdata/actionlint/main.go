// Command actionlint checks GitHub's workflows with the linter of that name.
package main

import (
	"os"

	"github.com/rhysd/actionlint"
)

func main() {
	c := actionlint.Command{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	os.Exit(c.Main(os.Args))
}
