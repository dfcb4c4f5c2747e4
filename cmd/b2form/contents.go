package main

import (
	"context"

	"golang.org/x/sync/errgroup"

	"b2form/plan"
)

// countContents says of every object that goes with everything it holds how much that
// is, before anybody approves it. What the credentials may not look at is said so.
func (s *session) countContents(ctx context.Context, p *plan.Plan) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.parallelism)
	for i := range p.Changes {
		c := &p.Changes[i]
		if !c.DestroysContents() {
			continue
		}
		g.Go(func() error {
			found, err := c.Kind.Destroy.Count(ctx, s.client, c.ID)
			c.SetContents(found.String())
			return err
		})
	}
	return g.Wait()
}
