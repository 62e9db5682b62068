package main

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"

	"vestnik/internal/server"
)

// serveCommand runs the service until it is told to stop.
type serveCommand struct {
	CPUProfile string `name:"cpu-profile" type:"path" placeholder:"FILE"`
}

func (c serveCommand) Run(ctx context.Context, d *desk) error {
	if c.CPUProfile != "" {
		file, err := os.Create(c.CPUProfile)
		if err != nil {
			return fmt.Errorf("serve: profile: %w", err)
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return fmt.Errorf("serve: profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	return server.Run(ctx, d.config, d.log, version)
}
