package schema

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/internal/words"
	"b2form/schema/kind"
	"b2form/schema/parse"
	"b2form/schema/syntax"
)

// EnvPrefix stands before a variable's name in the environment.
const EnvPrefix = "B2FORM_VAR_"

// A variable is one variable block and the value it was given.
type variable struct {
	node             *node
	name             string
	description      string
	typ              cty.Type
	hasType          bool // it is written out
	optionalDefaults *typeexpr.Defaults
	defaultValue     cty.Value // the default; NilVal: the variable must be given
	sensitive        bool
	nullable         bool
	validations      []*condition
	rootValue        cty.Value
	givenValues      []givenValue // lowest precedence first
}

// givenValue is a value from a file, or a text from outside.
type givenValue struct {
	expr   hcl.Expression // from a value file
	text   string         // from anywhere else
	source string         // "the environment variable B2FORM_VAR_site"
}

func (l *module) declareVariable(b *hcl.Block) {
	if !l.checkLabel(b) {
		return
	}
	name := b.Labels[0]
	if syntax.FindFixedBlock("module").FindArgument(name) != nil {
		l.errorAt(b.LabelRanges[0], "Reserved name", fmt.Sprintf("A module block has an argument %q of its own, so no caller could give "+
			"this variable a value. Choose another name.", name))
		return
	}
	if first := l.variables[name]; first != nil {
		l.reportDuplicate("var."+name, b.DefRange, first.node.place)
		return
	}
	v := &variable{name: name, typ: cty.DynamicPseudoType, nullable: true, rootValue: cty.DynamicVal}
	v.node = &node{name: "var." + name, place: b.DefRange, variable: v}
	l.variables[name] = v
	l.nodes = append(l.nodes, v.node)

	content, _ := l.readContent(b, syntax.FindFixedBlock(b.Type))
	v.validations = l.readConditions("validation", content.Blocks, syntax.FindFixedBlock(b.Type))
	l.evalConstant(content.Attributes["description"], &v.description)
	l.evalConstant(content.Attributes["sensitive"], &v.sensitive)
	l.evalConstant(content.Attributes["nullable"], &v.nullable)
	if a := content.Attributes["type"]; a != nil {
		v.hasType = true
		v.node.notEvaluated = !l.readTypeConstraint(v, a.Expr)
	}
	if a := content.Attributes["default"]; a != nil {
		v.defaultValue = l.evalDefault(v, a.Expr)
	}
}

// readTypeConstraint reads a type constraint; false: an error was reported.
func (l *module) readTypeConstraint(v *variable, e hcl.Expression) (ok bool) {
	e = nativeAddressExpr(e)
	if any := collectionOfAny(hcl.ExprAsKeyword(e)); any != cty.NilType {
		v.typ = any
		return true
	}
	typ, defaults, diags := typeexpr.TypeConstraintWithDefaults(e)
	if !diags.HasErrors() {
		v.typ, v.optionalDefaults = typ, defaults
		return true
	}
	if text, ok := quotedType(e); ok {
		l.errorAt(e.Range(), "Type in quotes", fmt.Sprintf("Write type = %s without quotes.", text))
		return false
	}
	for _, d := range diags {
		_, rest, _ := strings.Cut(d.Detail, `eyword "`)
		if name, _, ok := strings.Cut(rest, `"`); ok {
			d.Detail += words.DidYouMean(name, "", []string{"any", "bool", "list", "map", "number", "object", "set", "string", "tuple"})
		}
	}
	l.add(diags...)
	return false
}

// collectionOfAny is what the words list, map and set mean alone, as a type of a variable: one
// whose elements are of any type.
func collectionOfAny(word string) cty.Type {
	switch word {
	case "list":
		return cty.List(cty.DynamicPseudoType)
	case "map":
		return cty.Map(cty.DynamicPseudoType)
	case "set":
		return cty.Set(cty.DynamicPseudoType)
	}
	return cty.NilType
}

// quotedType is a type that is written as a text, as Terraform did once.
func quotedType(e hcl.Expression) (text string, isType bool) {
	v, diags := parse.Constant(e)
	if diags.HasErrors() || !isKnownString(v) {
		return "", false
	}
	switch text := v.AsString(); text {
	case "list", "map", "set":
		return text + "(string)", true
	default:
		inner, diags := parse.Expression([]byte(text), "", hcl.InitialPos, nil)
		if !diags.HasErrors() {
			_, _, diags = typeexpr.TypeConstraintWithDefaults(inner)
		}
		return text, !diags.HasErrors()
	}
}

func (l *module) evalDefault(v *variable, e hcl.Expression) cty.Value {
	value, diags := l.shared.evalBudget.Evaluate(e, nil)
	l.add(diags...)
	if diags.HasErrors() {
		return cty.DynamicVal
	}
	if value.IsNull() && !v.nullable {
		l.errorAt(e.Range(), "Invalid default", fmt.Sprintf("The default of var.%s is null although nullable is false.", v.name))
		return cty.DynamicVal
	}
	out, err := v.convert(value)
	if err != nil {
		l.errorAt(e.Range(), "Invalid default", fmt.Sprintf("The default of var.%s does not fit its type: %s.", v.name, typeErrorText(err)))
		return cty.DynamicVal
	}
	return out
}

// evalConstant evaluates an argument that may not refer to anything.
func (l *module) evalConstant(a *hcl.Attribute, into any) {
	if a == nil {
		return
	}
	v, diags := l.shared.evalBudget.Evaluate(a.Expr, nil)
	l.add(diags...)
	if diags.HasErrors() {
		return
	}
	l.storeStringOrBoolUnlessNull(a.Name, a.Expr, v, into)
}

// storeStringOrBoolUnlessNull stores a known value in a *string or *bool; null leaves it alone.
func (l *module) storeStringOrBoolUnlessNull(name string, e hcl.Expression, v cty.Value, into any) (ok bool) {
	v, _ = v.Unmark()
	if v.IsNull() {
		return true
	}
	want, word := cty.String, "a string"
	if _, ok := into.(*bool); ok {
		want, word = cty.Bool, "true or false"
	}
	c, err := convert.Convert(v, want)
	if err != nil || !c.IsKnown() || c.IsNull() {
		l.errorAt(e.Range(), wrongType, fmt.Sprintf("%s needs %s.", name, word))
		return false
	}
	switch p := into.(type) {
	case *string:
		*p = c.AsString()
	case *bool:
		*p = c.True()
	}
	return true
}

// convert brings a value into the variable's type, with the defaults of
// optional() members.
func (v *variable) convert(value cty.Value) (cty.Value, error) {
	if v.optionalDefaults != nil && !value.IsNull() {
		value = v.optionalDefaults.Apply(value)
	}
	out, err := convert.Convert(value, v.typ)
	if err == nil && parse.HasTooLongNumber(out) { // a text may have become one
		return out, errors.New("a number has more than 1000 digits")
	}
	return out, err
}

// takesLiteralText reports whether a text from outside is taken as it is.
func (v *variable) takesLiteralText() bool {
	return v.typ.IsPrimitiveType() || !v.hasType
}

// readValueFile takes a value file apart: one argument per variable. why says that
// it could not be read.
func (l *module) readValueFile(path string, src []byte, readFailure string) hcl.Attributes {
	body := l.parseValueFile(path, src, readFailure)
	if body == nil {
		return nil
	}
	attrs, diags := body.JustAttributes()
	replaceDetails(diags, valueSyntax)
	l.add(diags...)
	return attrs
}

// assignVariables gives every variable its value: the default, the
// environment, the value files of the folder, then the command line in its
// order; the last one wins. Those of a module are what its caller says.
func (l *module) assignVariables() {
	if l.caller != nil {
		for name, a := range l.caller.call.inputs {
			if v := l.variables[name]; v != nil {
				v.givenValues = []givenValue{{expr: a.Expr, source: "the module block"}}
			}
		}
		return
	}
	for _, g := range l.Env {
		if v := l.variables[g.Name]; v != nil {
			v.givenValues = append(v.givenValues, givenValue{text: g.Value,
				source: "the environment variable " + cmp.Or(g.EnvName, EnvPrefix+g.Name)})
		}
	}
	for _, attrs := range l.autoValueFiles {
		l.assignFromValueFile(attrs, false)
	}
	for _, g := range l.Vars {
		if g.VarFile != "" {
			src, why := readNamedFile(g.VarFile, g.VarFileContent)
			l.assignFromValueFile(l.readValueFile(g.VarFile, src, why), true)
			continue
		}
		v := l.variables[g.Name]
		if g.OnlyIfDeclared != nil {
			*g.OnlyIfDeclared = *g.OnlyIfDeclared || v != nil
			if v == nil {
				continue
			}
		}
		if v == nil && g.Expr != nil {
			l.errorAt(g.Expr.Range(), "Undeclared variable", fmt.Sprintf("The configuration declares no variable %q.%s", g.Name,
				words.DidYouMean(g.Name, "", l.variableNames())))
			continue
		}
		if v == nil {
			l.errorWithoutPlace("Undeclared variable", fmt.Sprintf("-var gives a value to %q, but the configuration declares no such "+
				"variable.%s",
				g.Name, l.undeclaredVariableAdvice(g.Name)))
			continue
		}
		source := "-var"
		if g.Expr != nil {
			source = fileAndLine(g.Expr.Range())
		}
		v.givenValues = append(v.givenValues, givenValue{text: g.Value, expr: g.Expr, source: source})
	}
	for _, name := range l.variableNames() {
		v := l.variables[name]
		planned, ok := l.PlannedVariables[name]
		if ok && !v.sensitive {
			v.rootValue = l.plannedValueAgainstGiven(v, planned)
		} else {
			v.rootValue = l.variableValueOrAsk(v)
		}
		if v.sensitive {
			l.config.SensitiveVariables[name] = v.rootValue
			v.rootValue = v.rootValue.Mark(kind.Sensitive)
			continue
		}
		l.config.NonsensitiveVariables[name] = v.rootValue
	}
}

// undeclaredVariableAdvice says what to do about -var with a name that no variable has.
func (l *module) undeclaredVariableAdvice(name string) string {
	if rest, ok := strings.CutPrefix(name, "'"); ok && l.variables[rest] != nil {
		return fmt.Sprintf(" cmd on Windows passes single quotes on: write -var \"%s=…\" there.", rest)
	}
	return cmp.Or(words.DidYouMean(name, "", l.variableNames()), " Declare it in a variable block, or leave -var out.")
}

// plannedValueAgainstGiven is the value that a saved plan was made with. Whoever gives one must give the same.
func (l *module) plannedValueAgainstGiven(v *variable, planned cty.Value) cty.Value {
	if len(v.givenValues) == 0 {
		return planned
	}
	if now := l.variableValueOrAsk(v); now.IsWhollyKnown() && !now.RawEquals(planned) {
		l.errorAt(v.node.place, "Other value than in the saved plan", fmt.Sprintf("The plan was made with another value of var.%s than %s "+
			"gives now. A saved plan keeps the values of variables: leave this one out, or make a new plan.", v.name,
			v.givenValues[len(v.givenValues)-1].source))
	}
	return planned
}

func (l *module) variableNames() []string { return slices.Sorted(maps.Keys(l.variables)) }

// assignFromValueFile gives variables the values of a value file. One that somebody named
// may be any file, so not even a name in it is repeated.
func (l *module) assignFromValueFile(attrs hcl.Attributes, hideNames bool) {
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		a := attrs[name]
		if v := l.variables[name]; v != nil {
			v.givenValues = append(v.givenValues, givenValue{expr: a.Expr, source: a.Range.Filename})
			continue
		}
		shown := strconv.Quote(name)
		if hideNames {
			shown = "of the name given here"
		}
		l.add(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Undeclared variable", Subject: &a.NameRange,
			Detail: fmt.Sprintf("The configuration declares no variable %s, so this value is not used.%s", shown,
				words.DidYouMean(name, "", l.variableNames()))})
	}
}

// variableValueOrAsk is the variable's value, asked for where it is missing.
func (l *module) variableValueOrAsk(v *variable) cty.Value {
	if v.node.notEvaluated {
		return cty.DynamicVal
	}
	unset := len(v.givenValues) == 0 && v.defaultValue == cty.NilVal
	if unset && l.AllowUnsetVariables {
		return v.anyUnknownValue()
	}
	if unset {
		if l.Ask == nil {
			where := "a value file, in the environment variable " + EnvPrefix + v.name + ", or with -var=" + v.name + "=…"
			if v.sensitive {
				where = "a value file that is not committed, or in the environment variable " + EnvPrefix + v.name
			}
			l.errorAt(v.node.place, "Missing variable", fmt.Sprintf("var.%s has no default and was given no value. Give one in %s.%s",
				v.name, where, l.hintOfValueElsewhere(v.name)))
			return cty.DynamicVal
		}
		text, err := l.Ask(VariableQuestion{v.name, v.description, v.sensitive})
		if err != nil {
			l.errorAt(v.node.place, "Missing variable", fmt.Sprintf("No value for var.%s could be read: %s.", v.name, err))
			return cty.DynamicVal
		}
		v.givenValues = []givenValue{{text: text, source: "the answer"}}
	}
	if len(v.givenValues) == 0 {
		return v.defaultValue
	}
	value, ok := l.evalGivenValue(v, v.givenValues[len(v.givenValues)-1])
	if ok && value.IsNull() && !v.nullable {
		if v.defaultValue != cty.NilVal {
			return v.defaultValue
		}
		l.errorAt(v.placeOfValue(), "Invalid value of a variable", fmt.Sprintf("The value of var.%s from %s is null although nullable "+
			"is false.", v.name, v.givenValues[len(v.givenValues)-1].source))
		return cty.DynamicVal
	}
	return value
}

// placeOfValue is where an error about the value points: the value itself, where a module block gives it, or a value file
// gives what may be seen.
func (v *variable) placeOfValue() hcl.Range {
	if n := len(v.givenValues); n > 0 && !v.sensitive && v.givenValues[n-1].expr != nil {
		return v.givenValues[n-1].expr.Range()
	}
	return v.node.place
}

// anyUnknownValue stands for every value that the variable may be given.
func (v *variable) anyUnknownValue() cty.Value {
	any := cty.UnknownVal(v.typ.WithoutOptionalAttributesDeep())
	if !v.nullable && v.typ != cty.DynamicPseudoType {
		any = any.RefineNotNull()
	}
	return any.Mark(unknownYetMark{})
}

// divisionByZero is what HCL says of a constant that divides by nothing; it repeats no value.
const divisionByZero = "Error during operation: division by zero."

// evalGivenValue reads a value. Messages never repeat a text from outside: it may
// be a secret.
func (l *module) evalGivenValue(v *variable, g givenValue) (value cty.Value, ok bool) {
	at, value := v.node.place, cty.StringVal(g.text)
	expr := g.expr
	if expr == nil && !v.takesLiteralText() {
		parsed, diags := parse.Expression([]byte(g.text), "", hcl.InitialPos, l.shared.evalBudget)
		if diags.HasErrors() {
			l.errorAt(at, "Invalid value of a variable", fmt.Sprintf(
				"The value of var.%s from %s is not a valid expression. %s", v.name, g.source, v.expressionAdvice()))
			return cty.DynamicVal, false
		}
		expr = parsed
	}
	if expr != nil {
		var diags hcl.Diagnostics
		value, diags = l.shared.evalBudget.Evaluate(expr, nil)
		if g.expr != nil && l.caller == nil { // of a value file nothing is repeated
			others := slices.DeleteFunc(slices.Clone(diags), func(d *hcl.Diagnostic) bool { return d.Detail == divisionByZero })
			for _, d := range others {
				replaceDetails(hcl.Diagnostics{d}, "The value of a variable "+valueFault(d))
			}
		}
		if diags.HasErrors() && g.expr != nil && !v.sensitive {
			l.add(diags...)
			return cty.DynamicVal, false
		}
		if diags.HasErrors() {
			advice := ""
			if g.expr == nil {
				advice = " Texts stand in quotes. " + v.expressionAdvice()
			}
			l.errorAt(at, "Invalid value of a variable", fmt.Sprintf("The value of var.%s from %s %s%s", v.name, g.source,
				valueFault(diags[0]), advice))
			return cty.DynamicVal, false
		}
	}
	at = v.placeOfValue()
	out, err := v.convert(value)
	if err != nil {
		advice := ""
		if expr != nil && g.expr == nil {
			advice = " " + v.expressionAdvice()
		}
		l.errorAt(at, "Invalid value of a variable",
			fmt.Sprintf("The value of var.%s from %s does not fit its type: %s.%s", v.name, g.source, typeErrorText(err), advice))
		return cty.DynamicVal, false
	}
	return out, true
}

// valueFault says why an expression from outside has no value, as the end of a sentence that repeats nothing of it.
func valueFault(d *hcl.Diagnostic) string {
	switch d.Summary {
	case "Variables not allowed", "Unknown variable", "Function calls not allowed", "Call to unknown function":
		return "must be a constant, without references and functions."
	}
	return "cannot be computed. Details are left out, since they may hold secrets."
}

// expressionAdvice says how a value is given that is an expression, of which shells take the quotes away.
func (v *variable) expressionAdvice() string {
	typeName, example := words.WithArticle(v.typ.FriendlyNameForConstraint()), exampleText(v.typ)
	text := fmt.Sprintf("%s is written like %s: ", words.CapitalizeUnlessName(typeName), example)
	if !v.sensitive { // other users of a machine see arguments
		text += fmt.Sprintf("-var '%s=%s' in most shells, -var \"%s=%s\" in cmd, ", v.name, example, v.name,
			strings.ReplaceAll(example, `"`, `\"`))
	}
	text += fmt.Sprintf("%s%s='%s' in the environment, or %s = %s in a value file.", EnvPrefix, v.name, example, v.name, example)
	if !v.sensitive && strings.Contains(example, `"`) {
		text += " PowerShell before 7.3 takes the quotes out of arguments: use one of the last two there."
	}
	return text
}

// exampleText is a value of a type, as it is written.
func exampleText(t cty.Type) string {
	switch {
	case t == cty.Number:
		return "7"
	case t == cty.Bool:
		return "true"
	case t.IsMapType():
		return fmt.Sprintf("{ team = %s }", exampleText(t.ElementType()))
	case t.IsCollectionType():
		return fmt.Sprintf("[%s]", exampleText(t.ElementType()))
	case t.IsTupleType():
		var parts []string
		for _, e := range t.TupleElementTypes() {
			parts = append(parts, exampleText(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case t.IsObjectType() && len(t.AttributeTypes()) > 0:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(t.AttributeTypes())) {
			parts = append(parts, name+" = "+exampleText(t.AttributeType(name)))
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case t.IsObjectType():
		return "{}"
	}
	return `"web"`
}
