package notification

import (
	"context"
	"encoding/json"
	"maps"

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
	body := maps.Clone(c.Body)
	body["bucketId"] = c.ID
	return setRules(ctx, c.API, body)
}

func setRules(ctx context.Context, api wire.API, body map[string]any) (json.RawMessage, error) {
	var out json.RawMessage
	err := api.Call(ctx, "b2_set_bucket_notification_rules", body, &out)
	return out, err
}

func remove(ctx context.Context, c kind.VerbInput) error {
	_, err := setRules(ctx, c.API, map[string]any{"bucketId": c.ID, "eventNotificationRules": []any{}})
	if wire.IsGone(err) {
		return nil
	}
	return err
}
