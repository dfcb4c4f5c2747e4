package main

import (
	"context"

	"golang.org/x/sync/errgroup"

	"b2form/plan"
)

// addContentCounts says of every object that goes with everything it holds how much that
// is, before anybody approves it. What the credentials may not look at is said so.
func (s *session) addContentCounts(ctx context.Context, p *plan.Plan) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.parallelism)
	for i := range p.Changes {
		c := &p.Changes[i]
		if !c.DestroysContents() {
			continue
		}
		g.Go(func() error {
			found, err := c.Kind.Destroy.CountContents(ctx, s.client, c.RemoteID)
			c.DescribeContents(found.String())
			return err
		})
	}
	return g.Wait()
}
