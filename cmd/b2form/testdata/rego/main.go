// Command rego prints what a policy in Rego denies of a JSON document, a line each and sorted:
// rego POLICY DOCUMENT. It does as conftest does, which takes minutes to build.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"

	"github.com/open-policy-agent/opa/v1/rego"
)

func main() {
	log.SetFlags(0)
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(text, &document); err != nil {
		log.Fatal(err)
	}
	query := rego.New(rego.Query("data.main.deny"), rego.Load([]string{os.Args[1]}, nil), rego.Input(document))
	results, err := query.Eval(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	var said []string
	for _, r := range results {
		for _, text := range r.Expressions[0].Value.([]any) {
			said = append(said, text.(string))
		}
	}
	slices.Sort(said)
	for _, text := range said {
		fmt.Println(text)
	}
}
