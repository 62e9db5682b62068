//go:build !linux

package store

import (
	"fmt"
	"os"
	"syscall"
)

// birthOf is what a copy of the file does not share with it: the number of the
// file.
func birthOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", nil
	}
	return fmt.Sprintf("inode %d", stat.Ino), nil
}
