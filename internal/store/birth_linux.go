package store

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// birthOf is what a copy of the file does not share with it: the time it was made,
// which no program can set. Where the file system keeps none, it is the number of
// the file.
func birthOf(path string) (string, error) {
	var stat unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_BTIME|unix.STATX_INO, &stat)
	if err != nil {
		return "", &os.PathError{Op: "statx", Path: path, Err: err}
	}
	if stat.Mask&unix.STATX_BTIME == 0 {
		return fmt.Sprintf("inode %d", stat.Ino), nil
	}
	return fmt.Sprintf("born %d.%09d", stat.Btime.Sec, stat.Btime.Nsec), nil
}
