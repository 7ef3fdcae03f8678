package main

import (
	"context"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/conformance/container"
)

// inContainer is a target of an image, and what ends it.
func inContainer(ctx context.Context, name, image string) (conformance.Target, func() error, error) {
	t, err := container.New(ctx, name, image)
	if err != nil {
		return nil, nothing, err
	}
	return t, t.Close, nil
}
