//go:build linux || darwin || freebsd

package server

import (
	"fmt"
	"syscall"
)

// diskFree is how much room there is in a folder for a program without privileges, of
// how much in all.
func diskFree(folder string) (free, all uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, 0, fmt.Errorf("server: room in %s: %w", folder, err)
	}
	return uint64(s.Bavail) * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), nil
}
