package parse

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
)

// DefaultSteps is how many steps an evaluation may take, and Variable the
// environment variable that says otherwise. A step stands for some 16 bytes of a
// value: a hundred thousand resources need a few million.
const (
	DefaultSteps        = 20_000_000
	MaxEvaluationEnvVar = "B2FORM_MAX_EVALUATION"
)

// What things cost in steps, beside the values that they make.
const (
	stepsPerRound      = 16 // of a for expression or a loop in a template
	stepsPerElement    = 2  // of a list, set, map or object
	bytesPerStep       = 8  // bytes of text are one step
	partsPerBudgetStep = 8  // so many parts are gone through in one step
	// maxBudgetSteps is what a budget has at most: no sum of what is granted overflows.
	maxBudgetSteps = 1 << 48
	// StepsPerInstance is the cost of a resource or a module that for_each or count makes.
	StepsPerInstance = 60
)

// A Budget bounds what evaluating a configuration takes. What goes over it ends by a
// panic that [Budget.Value] turns into an error. nil is no bound. It may be used by
// several goroutines.
type Budget struct {
	maxSteps           int64
	stepsLeft          atomic.Int64
	mu                 sync.Mutex
	runningEvaluations int64           // those under way, of which each may take all steps
	exceededDiag       *hcl.Diagnostic // what went over it
}

// exceededPanic is the panic that ends an evaluation.
type exceededPanic struct{ budget *Budget }

// NewBudget has so many steps; 0: [DefaultSteps]; below that: no bound.
func NewBudget(steps int64) *Budget {
	switch {
	case steps < 0:
		return nil
	case steps == 0:
		steps = DefaultSteps
	}
	b := &Budget{maxSteps: min(steps, maxBudgetSteps)}
	b.stepsLeft.Store(b.maxSteps)
	return b
}

// GrantEvaluation gives one more evaluation the steps that it may take, until end is called: what
// others take at the same time or took before is not its concern, and what they left not its own.
func (b *Budget) GrantEvaluation() (end func()) {
	if b == nil {
		return func() {}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.runningEvaluations++; b.runningEvaluations == 1 || b.exceededDiag != nil {
		b.exceededDiag = nil
		b.stepsLeft.Store(0)
	}
	b.stepsLeft.Add(b.maxSteps)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.runningEvaluations--
		if unused := b.stepsLeft.Load() - b.runningEvaluations*b.maxSteps; unused > 0 {
			b.stepsLeft.Add(-unused)
		}
	}
}

// takeSteps counts steps of one call; false: there are not so many. One call that takes more than an
// evaluation may is not saved by what was granted to several.
func (b *Budget) takeSteps(n int64) (enough bool) {
	left := b.stepsLeft.Add(-min(n, b.maxSteps+1))
	if n > b.maxSteps && left >= 0 {
		left = -1
		b.stepsLeft.Store(left)
	}
	return left >= 0
}

// MustSpend counts steps of what somebody called by name: a function, or "".
func (b *Budget) MustSpend(n int64, functionName string) {
	if b == nil || b.takeSteps(max(n, 0)) {
		return
	}
	b.mu.Lock()
	b.keepExceededDiag(functionName)
	b.mu.Unlock()
	panic(exceededPanic{b})
}

// SpendInstances is Spend for what is no expression: n instances that stand at a place. The
// error is that the budget is exceeded.
func (b *Budget) SpendInstances(n int, at hcl.Range) hcl.Diagnostics {
	if b == nil || b.takeSteps(min(int64(n), maxBudgetSteps)*StepsPerInstance) {
		return nil
	}
	return b.NewExceededError(at)
}

// IsExceeded reports whether something went over the budget.
func (b *Budget) IsExceeded() bool { return b != nil && b.stepsLeft.Load() < 0 }

// keepExceededDiag keeps what went over the budget, if nothing did before.
func (b *Budget) keepExceededDiag(functionName string) {
	if b.exceededDiag != nil {
		return
	}
	if functionName != "" {
		functionName = ", most of them in " + functionName + "()"
	}
	b.exceededDiag = &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Evaluation too large",
		Detail: fmt.Sprintf("The configuration takes more than %d steps to evaluate, up to here%s. Each element, each round of a loop and "+
			"each piece of text that is made counts, and all of a value whenever it becomes a part of another one. Make less, or set the "+
			"environment variable %s to a larger number.",
			b.maxSteps, functionName, MaxEvaluationEnvVar)}
}

// panicNumberTooLong ends an evaluation in which a number has too many digits: writing them
// takes minutes, and what has no end is more than some operators can take.
func (b *Budget) panicNumberTooLong() {
	b.mu.Lock()
	if b.exceededDiag == nil {
		b.exceededDiag = &hcl.Diagnostic{Severity: hcl.DiagError, Summary: numberTooLarge, Detail: numberTooLargeDetail}
	}
	b.mu.Unlock()
	b.stepsLeft.Store(-1)
	panic(exceededPanic{b})
}

// NewExceededError is the error about what went over the budget. at is where that is said to
// be, if nothing nearer is known.
func (b *Budget) NewExceededError(fallback hcl.Range) hcl.Diagnostics {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keepExceededDiag("")
	if b.exceededDiag.Subject == nil {
		b.exceededDiag.Subject = &fallback
	}
	over := *b.exceededDiag // who reports it may change it
	return hcl.Diagnostics{&over}
}

// Evaluate evaluates an expression. Where that goes over the budget, or something
// before did, the only error is the one about that.
func (b *Budget) Evaluate(e hcl.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	return b.evalAndSpend(e, ctx, func(v cty.Value) { b.MustSpendValue(v, "") })
}

// EvalForReading is [Budget.Value] for a value that is read and becomes no part of another one, as
// those of arguments do.
func (b *Budget) EvalForReading(e hcl.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	return b.evalAndSpend(e, ctx, func(v cty.Value) { b.MustSpendReading([]cty.Value{v}, "") })
}

// EvalNotCountingReferences is [Budget.EvalForReading] where nobody reads what is in the objects that a list refers to.
func (b *Budget) EvalNotCountingReferences(e hcl.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	return b.evalAndSpend(e, ctx, func(v cty.Value) { b.MustSpendReading(ValuesExceptObjectRefs(e, v), "") })
}

func (b *Budget) evalAndSpend(e hcl.Expression, ctx *hcl.EvalContext, spend func(cty.Value)) (v cty.Value, diags hcl.Diagnostics) {
	defer func() {
		switch r := recover(); {
		case r == nil && (b == nil || b.stepsLeft.Load() >= 0):
		case r == nil:
			v, diags = cty.DynamicVal, b.NewExceededError(e.Range())
		default:
			of, ours := r.(exceededPanic)
			if !ours {
				panic(r)
			}
			v, diags = cty.DynamicVal, of.budget.NewExceededError(e.Range())
		}
	}()
	evaluated := e
	if ctx != nil && hcljson.IsJSONExpression(e) {
		if evaluated, diags = b.jsonToNativeExpr(e); diags.HasErrors() {
			return cty.DynamicVal, diags
		}
	}
	if v, diags = evaluated.Value(ctx); !diags.HasErrors() && mayMakeUncountedValue(evaluated) {
		spend(v)
	}
	return v, diags
}

// Constant evaluates what should be a constant; nothing but references and
// functions makes it an error, or a loop without end.
func Constant(e hcl.Expression) (v cty.Value, diags hcl.Diagnostics) {
	return NewBudget(0).Evaluate(e, nil)
}

// MustSpendValue spends what a value takes up, each part as often as it occurs.
func (b *Budget) MustSpendValue(v cty.Value, functionName string) {
	if b == nil {
		return
	}
	n := valueSteps(v, max(b.stepsLeft.Load(), 0)+1)
	if n >= tooLongNumberSteps {
		b.panicNumberTooLong()
	}
	b.MustSpend(n, functionName)
}

// HasTooLongNumber reports whether a number in a value has too many digits to be used.
func HasTooLongNumber(v cty.Value) bool {
	return valueSteps(v, tooLongNumberSteps-1) >= tooLongNumberSteps
}

// MustSpendReading spends what it takes to go through values, which is less than to make them.
func (b *Budget) MustSpendReading(values []cty.Value, functionName string) {
	if b == nil {
		return
	}
	n, most := int64(0), partsPerBudgetStep*(max(b.stepsLeft.Load(), 0)+1)
	for _, v := range values {
		n += valueSteps(v, most-n)
	}
	if n >= tooLongNumberSteps {
		b.panicNumberTooLong()
	}
	b.MustSpend(n/partsPerBudgetStep, functionName)
}

// valueSteps is what a value takes up in steps; where that is more than most, any number
// above that.
func valueSteps(v cty.Value, most int64) int64 {
	if v.IsNull() || !v.IsKnown() {
		return 1
	}
	v, _ = v.Unmark()
	t := v.Type()
	switch {
	case t == cty.String:
		return 1 + int64(len(v.AsString()))/bytesPerStep
	case t == cty.Number:
		digits := magnitudeInDigits(v)
		if digits > mostDigits {
			return tooLongNumberSteps
		}
		return 1 + digits/bytesPerStep
	case t.IsObjectType():
		attrs := t.AttributeTypes()
		n := int64(len(attrs)) * stepsPerElement
		for attr := range attrs {
			if n > most {
				break
			}
			n += valueSteps(v.GetAttr(attr), most-n)
		}
		return n
	case t.IsSetType() && t.ElementType().IsPrimitiveType(): // going through it takes much longer
		return int64(v.LengthInt()) * (stepsPerElement + 1)
	case t.IsTupleType() || t.IsCollectionType():
		n := (int64(v.LengthInt()) + 1) * 2 * stepsPerElement // an iterator takes its time
		if n > most {
			return n
		}
		for it := v.ElementIterator(); n <= most && it.Next(); {
			_, one := it.Element()
			n += valueSteps(one, most-n)
		}
		return n
	}
	return 1
}

// mostDigits is how many digits a number may have; endless is the size of one with more.
const (
	mostDigits         = 1000
	tooLongNumberSteps = math.MaxInt64 / 8

	numberTooLarge       = "Number too large"
	numberTooLargeDetail = "A number is infinite here, or has more than 1000 digits before or behind its decimal point. Use a smaller one."
)

// magnitudeInDigits is how many digits a number has before or behind the decimal point, about.
func magnitudeInDigits(number cty.Value) int64 {
	f := number.AsBigFloat()
	if f.IsInf() {
		return math.MaxInt64
	}
	digits := int64(f.MantExp(nil)) * 3 / 10
	return max(digits, -digits)
}

// mayMakeUncountedValue reports whether what an expression evaluates to may be more than what was
// counted: it is no part of a value that exists, and made by no function. A loop may put one
// value into its result many times.
func mayMakeUncountedValue(e hcl.Expression) bool {
	switch e := e.(type) {
	case *hclsyntax.ScopeTraversalExpr, *hclsyntax.TemplateExpr, *hclsyntax.FunctionCallExpr, *hclsyntax.TemplateJoinExpr:
		return false
	case *hclsyntax.RelativeTraversalExpr:
		return mayMakeUncountedValue(e.Source)
	case *hclsyntax.IndexExpr:
		return mayMakeUncountedValue(e.Collection)
	case *hclsyntax.LiteralValueExpr:
		return e.Val.Type() == cty.Number
	case *hclsyntax.ParenthesesExpr:
		return mayMakeUncountedValue(e.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return mayMakeUncountedValue(e.Wrapped)
	}
	return true
}

// ValuesExceptObjectRefs are the parts of the value of an expression that may be more than objects which exist
// besides: a list of references to objects has none.
func ValuesExceptObjectRefs(e hcl.Expression, v cty.Value) []cty.Value {
	tuple, ok := e.(*hclsyntax.TupleConsExpr)
	if !ok || v.IsMarked() || !v.Type().IsTupleType() || !v.IsKnown() || v.IsNull() || v.LengthInt() != len(tuple.Exprs) {
		return []cty.Value{v}
	}
	var own []cty.Value
	for i, it := 0, v.ElementIterator(); it.Next(); i++ {
		_, element := it.Element()
		if !isReference(tuple.Exprs[i]) || !element.IsKnown() || !element.Type().IsObjectType() {
			own = append(own, element)
		}
	}
	return own
}

// isReference reports whether an expression, where its value is known, is one that exists besides,
// or a part of it.
func isReference(e hcl.Expression) bool {
	switch e := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return true
	case *hclsyntax.RelativeTraversalExpr:
		return isReference(e.Source)
	case *hclsyntax.IndexExpr:
		return isReference(e.Collection)
	}
	return false
}
