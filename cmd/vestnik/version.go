package main

import "fmt"

// versionCommand prints the version.
type versionCommand struct{}

func (versionCommand) Run(d *desk) error {
	_, err := fmt.Fprintln(d.out, "vestnik", version)
	return err
}
