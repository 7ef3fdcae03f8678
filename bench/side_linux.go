package bench

import (
	"context"
	"fmt"

	"github.com/goepmd/goepmd/wire"
)

// runSide measures one program once.
func runSide(ctx context.Context, p Plan, prog Program, m Mode, set *nodes) (s Side, err error) {
	d, err := startDaemon(ctx, prog)
	if err != nil {
		return Side{}, err
	}
	defer d.Stop()
	if m == Idle {
		s, err = runIdle(ctx, p, d, set)
	} else {
		s, err = runLoad(ctx, p, m, d, set)
	}
	if ctx.Err() != nil {
		return s, context.Cause(ctx)
	}
	suspect := err != nil || s.Stopped != "" || s.Load != nil && (s.Load.Ops == 0 || s.Load.FailedOps() > 0)
	if s.Died = d.died(suspect); s.Died != "" {
		err = nil // what failed, failed for that
	}
	return s, err
}

// list asks for the names.
func (d *daemon) list(most int) ([]byte, error) {
	request, err := wire.NamesReq{}.Append(nil)
	if err != nil {
		return nil, err
	}
	// Room for the lines of the nodes, of those that come and go, and more.
	answer, err := newDialer(d.Port, 1).ask(request, make([]byte, 64*(most+1024)))
	if err != nil {
		return nil, fmt.Errorf("list of names: %w", err)
	}
	return answer, nil
}
