//go:build !linux && !darwin && !freebsd

package server

import "errors"

// diskFree is not known here.
func diskFree(string) (free, all uint64, err error) {
	return 0, 0, errors.New("server: room on the disk is not known on this system")
}
