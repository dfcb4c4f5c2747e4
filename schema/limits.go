package schema

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/config"
	"b2form/schema/syntax"
)

// evaluateLimits reads how much a run may do without anybody looking.
func (l *module) evaluateLimits(blocks hcl.Blocks) {
	if len(blocks) == 0 {
		return
	}
	for _, extra := range blocks[1:] {
		l.errorAt(extra.DefRange, "Duplicate limits",
			fmt.Sprintf("There is a limits block already at %s; put the limits into one.", blocks[0].DefRange))
	}
	content, _ := l.readContent(blocks[0], syntax.FindFixedBlock("b2form").FindNestedForm("limits", ""))
	for _, action := range config.LimitableActions() {
		if a := content.Attributes[action]; a != nil {
			l.evaluateLimit(a)
		}
	}
}

// evaluateLimit reads one limit: a number, or a share such as "10%".
func (l *module) evaluateLimit(a *hcl.Attribute) {
	v, ok := l.evalSetting(a, cty.DynamicPseudoType, "a number or a share")
	if !ok || v.IsNull() {
		return
	}
	limit := config.ChangeLimit{Action: a.Name, Range: a.Range}
	text := ""
	switch v.Type() {
	case cty.Number:
		n, accuracy := v.AsBigFloat().Int64()
		if accuracy == big.Exact && n >= 0 && n <= math.MaxInt32 {
			text = strconv.FormatInt(n, 10)
		}
	case cty.String:
		text, limit.IsPercent = strings.CutSuffix(v.AsString(), "%")
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || limit.IsPercent && n > 100 {
		l.errorAt(a.Expr.Range(), wrongType, a.Name+" needs a whole number, 0 or more, or a share of the objects that the state records, "+
			"from \"0%\" to \"100%\".")
		return
	}
	limit.Most = int(n)
	l.config.Settings.Limits = append(l.config.Settings.Limits, limit)
}
