//go:build !linux

package bench

import "context"

func prepare(Plan) error { return ErrUnsupported }

func runSide(context.Context, Plan, Program, Mode, *nodes) (Side, error) {
	return Side{}, ErrUnsupported
}

func machine() Machine { return Machine{Tracked: -1} }

func tracked() int { return -1 }
