package main

import (
	"context"

	"vestnik/internal/server"
)

// serveCommand runs the service until it is told to stop.
type serveCommand struct{}

func (serveCommand) Run(ctx context.Context, d *desk) error {
	return server.Run(ctx, d.config, d.log, version)
}
