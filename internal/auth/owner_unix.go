//go:build unix

package auth

import (
	"os"
	"syscall"
)

// ownLike gives a file to whom another belongs: who changes the secrets may be root,
// and the service is not.
func ownLike(file string, draft *os.File) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if err := draft.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	if !known || os.Getuid() != 0 {
		return nil // nobody else may give files away
	}
	return draft.Chown(int(owner.Uid), int(owner.Gid))
}
