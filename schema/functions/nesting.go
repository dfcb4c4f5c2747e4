package functions

import (
	"fmt"
	"strings"

	yaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"b2form/schema/parse"
	"b2form/schema/wire"
)

// checkNesting refuses texts that would overflow the stack of the function that takes
// them apart.
func checkNesting(functionName string, args []cty.Value) error {
	if len(args) == 0 {
		return nil
	}
	switch text := (callArgument{args[0]}).textIfKnown(); {
	case functionName == "jsondecode" && wire.FindTooDeep(text, parse.MostNested) >= 0, functionName == "yamldecode" &&
		mayBeTooDeepYAML(text):
		return function.NewArgError(0, fmt.Errorf("values stand inside of more than %d others", parse.MostNested))
	}
	return nil
}

// mayBeTooDeepYAML reports whether a text may nest too deeply. What it takes for strings, in
// which brackets are none, may be none in truth: of those there must not be many. Nor
// may there be in one line of what opens a level by standing there.
func mayBeTooDeepYAML(text string) bool {
	const mostHidden, mostInLine = 10_000, 1000
	depth, hidden := 0, 0
	for line := range strings.Lines(text) {
		if len(line)-len(strings.TrimLeft(line, " ")) > mostInLine ||
			strings.Count(line, "- ")+strings.Count(line, "? ")+strings.Count(line, ": ") > mostInLine {
			return true
		}
	}
	quote, before := byte(0), byte(' ')
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote == '"' && c == '\\':
			i++
		case quote != 0 && (c == '[' || c == '{'):
			if hidden++; hidden > mostHidden {
				return true
			}
		case quote == '#' && c == '\n' || quote != 0 && c == quote:
			quote = 0
		case quote != 0:
		case (c == '"' || c == '\'') && strings.IndexByte(" \t\n[{,:-", before) >= 0, c == '#' && strings.IndexByte(" \t\n", before) >= 0:
			quote = c
		case c == '[' || c == '{':
			if depth++; depth > parse.MostNested {
				return true
			}
		case (c == ']' || c == '}') && depth > 0:
			depth--
		}
		before = c
	}
	return false
}

// yamldecodeFunction does not work out the type before the value, as the library's does:
// aliases may make one that takes years to go through.
func yamldecodeFunction() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{param("text", cty.String)},
		Type:   function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return yaml.Standard.Unmarshal([]byte(args[0].AsString()), cty.DynamicPseudoType)
		},
	})
}
