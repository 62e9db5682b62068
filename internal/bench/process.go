package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is a child whose standard input is its leash: when that is closed, it
// ends. So nothing outlives the bench.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out io.Reader
}

// start starts this program with other arguments, in an environment of its own: what is set
// for the one that measures is none of its business. It writes its log into log.
func start(ctx context.Context, env []string, log io.Writer, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	p := &process{cmd: exec.CommandContext(ctx, self, args...)}
	p.cmd.Env, p.cmd.Stderr = env, log
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if p.out, err = p.cmd.StdoutPipe(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: start %s: %w", strings.Join(args, " "), err)
	}
	return p, nil
}

// end closes the leash and waits.
func (p *process) end() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}

// clockTick is the unit of processor time in /proc, which is the same on every
// architecture that Go runs on (proc(5), sysconf(_SC_CLK_TCK)).
const clockTick = 10 * time.Millisecond

// cpu is the processor time that a process and those of its children that have
// ended have used.
func cpu(pid int) (time.Duration, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	return ticks(fields), nil
}

// treeCPU is cpu of a process and of all below it.
func treeCPU(pid int) (time.Duration, error) {
	parents, used := map[int]int{}, map[int]time.Duration{}
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, folder := range folders {
		id, _ := strconv.Atoi(filepath.Base(folder))
		fields, err := stat(id)
		if err != nil {
			continue // it has ended meanwhile
		}
		parents[id], _ = strconv.Atoi(fields[1])
		used[id] = ticks(fields)
	}
	var sum time.Duration
	for id := range used {
		for up := id; up > 0; up = parents[up] {
			if up == pid {
				sum += used[id]
				break
			}
		}
	}
	return sum, nil
}

// stat returns the fields of /proc/PID/stat from the third on, the state: those
// before it may hold spaces.
func stat(pid int) ([]string, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, fmt.Errorf("bench: processor time: %w", err)
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 15 {
		return nil, fmt.Errorf("bench: processor time: %q is not understood", data)
	}
	return fields, nil
}

// ticks adds up utime, stime, cutime and cstime, fields 14 to 17 of proc(5).
func ticks(fields []string) time.Duration {
	var sum time.Duration
	for _, field := range fields[11:15] {
		n, _ := strconv.ParseInt(field, 10, 64)
		sum += time.Duration(n) * clockTick
	}
	return sum
}

// peakMemory is the most memory, in bytes, that the process has had at once.
func peakMemory(pid int) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("bench: memory: %w", err)
	}
	_, rest, _ := strings.Cut(string(data), "VmHWM:")
	var kilobytes int64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		return 0, fmt.Errorf("bench: memory: %w", err)
	}
	return kilobytes << 10, nil
}
