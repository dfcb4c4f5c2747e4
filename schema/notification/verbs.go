package notification

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"b2form/schema/kind"
	"b2form/schema/wire"
)

// list asks for the rules of each bucket of interest. One without rules has no
// object.
func list(ctx context.Context, api wire.API, scope kind.ListFilter) ([]wire.RawJSON, error) {
	found := make([]wire.RawJSON, len(scope.WantedChildIDs))
	g, ctx := errgroup.WithContext(ctx)
	for i, bucketID := range scope.WantedChildIDs {
		g.Go(func() (err error) {
			found[i], err = findRulesReply(ctx, api, bucketID)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var out []wire.RawJSON
	for _, raw := range found {
		if raw != "" {
			out = append(out, raw)
		}
	}
	return out, nil
}

// findRulesReply gives "" for a bucket without rules, and for one that is gone.
func findRulesReply(ctx context.Context, api wire.API, bucketID string) (wire.RawJSON, error) {
	var raw json.RawMessage
	err := api.Call(ctx, "b2_get_bucket_notification_rules", map[string]any{"bucketId": bucketID}, &raw)
	if wire.IsNoSuchBucket(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var content struct {
		Rules []json.RawMessage `json:"eventNotificationRules"`
	}
	if err := json.Unmarshal(raw, &content); err != nil || content.Rules == nil {
		return "", wire.MisshapenReply("b2_get_bucket_notification_rules")
	}
	if len(content.Rules) == 0 {
		return "", nil
	}
	return wire.RawJSON(raw), nil
}

// create looks first: B2 replaces whatever rules a bucket has without a word.
func create(ctx context.Context, c kind.VerbInput) (json.RawMessage, error) {
	id, _ := c.Body["bucketId"].(string)
	there, err := findRulesReply(ctx, c.API, id)
	if err != nil {
		return nil, err
	}
	if there != "" {
		return nil, wire.Explainedf("The bucket has notification rules already",
			"Since the plan was made somebody gave the bucket notification rules, so nothing was written. Run the command "+
				"again to see them.")
	}
	return setRules(ctx, c.API, c.Body)
}

// update replaces all rules of the bucket by the planned ones.
func update(ctx context.Context, c kind.VerbInput) (json.RawMessage, error) {
	if err := checkUnchanged(ctx, c); err != nil {
		return nil, err
	}
	body := maps.Clone(c.Body)
	body["bucketId"] = c.ID
	return setRules(ctx, c.API, body)
}

func remove(ctx context.Context, c kind.VerbInput) error {
	if err := checkUnchanged(ctx, c); err != nil {
		return err
	}
	_, err := setRules(ctx, c.API, map[string]any{"bucketId": c.ID, "eventNotificationRules": []any{}})
	if wire.IsGone(err) {
		return nil
	}
	return err
}

// checkUnchanged refuses to replace rules that are other than those that were read for the plan: unlike a bucket's settings they
// have no revision that B2 compares. None left is no change that anybody loses.
func checkUnchanged(ctx context.Context, c kind.VerbInput) error {
	there, err := findRulesReply(ctx, c.API, c.ID)
	if err != nil || there == "" {
		return err
	}
	var now map[string]any
	in := json.NewDecoder(strings.NewReader(string(there)))
	in.UseNumber() // as in what was read for the plan
	if err := in.Decode(&now); err != nil {
		return wire.MisshapenReply("b2_get_bucket_notification_rules")
	}
	if textInAnyOrder(now) == textInAnyOrder(c.Live) {
		return nil
	}
	return wire.Explainedf("The notification rules were changed by somebody else",
		"Since the plan was made somebody changed the notification rules of the bucket, so nothing was written. Run the command "+
			"again to see them.")
}

// textInAnyOrder is one text for the same JSON with its lists in any order, without what B2 changes in rules by itself.
func textInAnyOrder(v any) string {
	var texts []string
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if name != "isSuspended" && name != "suspensionReason" {
				texts = append(texts, fmt.Sprintf("%q:%s", name, textInAnyOrder(member)))
			}
		}
	case []any:
		for _, element := range v {
			texts = append(texts, textInAnyOrder(element))
		}
	default:
		return fmt.Sprintf("%T %q", v, fmt.Sprint(v))
	}
	slices.Sort(texts)
	return fmt.Sprintf("%T {%s}", v, strings.Join(texts, ","))
}

func setRules(ctx context.Context, api wire.API, body map[string]any) (json.RawMessage, error) {
	var out json.RawMessage
	err := api.Call(ctx, "b2_set_bucket_notification_rules", body, &out)
	return out, err
}
