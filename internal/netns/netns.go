// Package netns makes network namespaces for tests: networks of their own, with
// addresses, cables and name servers like those of the world, in which mail servers
// listen on port 25. Whatever a test makes is gone when the test ends; what was left
// by one that was killed is removed by the next.
package netns

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// systemSetting lets tests use programs and rights of the machine.
const systemSetting = "VESTNIK_TEST_SYSTEM"

// prefix begins the names of our namespaces; the number of the process that made them
// follows.
const prefix = "vestnik-"

// Need skips a test where network namespaces cannot be made or are not asked for.
func Need(t testing.TB) {
	t.Helper()
	if os.Getenv(systemSetting) != "1" {
		t.Skipf("set %s=1 to run this test, which makes network namespaces", systemSetting)
	}
	if os.Geteuid() != 0 {
		t.Skip("network namespaces are made by root only")
	}
	for program, debian := range map[string]string{"ip": "iproute2", "dnsmasq": "dnsmasq-base"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s=1 is set, but %s is not there; install it with \"apt-get install %s\"", systemSetting, program, debian)
		}
	}
}

// ip runs iproute2.
func ip(t testing.TB, words string) {
	t.Helper()
	if output, err := exec.Command("ip", strings.Fields(words)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", words, err, output)
	}
}

// Namespace is a network namespace, by its name.
type Namespace string

// New makes a namespace that is removed when the test ends. Its loopback is up.
func New(t testing.TB, suffix string) Namespace {
	t.Helper()
	removeStale(t)
	n := Namespace(fmt.Sprint(prefix, os.Getpid(), "-", suffix))
	ip(t, "netns add "+string(n))
	t.Cleanup(func() { n.remove(t) })
	ip(t, "-n "+string(n)+" link set lo up")
	return n
}

// removeStale removes namespaces of runs that were killed, and what they left
// running in there.
func removeStale(t testing.TB) {
	t.Helper()
	output, err := exec.Command("ip", "netns", "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(output)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest, ours := strings.CutPrefix(name, prefix)
		number, _, _ := strings.Cut(rest, "-")
		pid, err := strconv.Atoi(number)
		if ours && err == nil && syscall.Kill(pid, 0) != nil {
			Namespace(name).endPrograms(t)
			Namespace(name).remove(t)
		}
	}
}

func (n Namespace) endPrograms(t testing.TB) {
	t.Helper()
	output, err := exec.Command("ip", "netns", "pids", string(n)).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range strings.Fields(string(output)) {
		if pid, err := strconv.Atoi(word); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func (n Namespace) remove(t testing.TB) {
	if output, err := exec.Command("ip", "netns", "delete", string(n)).CombinedOutput(); err != nil {
		t.Errorf("delete %s: %v: %s", n, err, output)
	}
	if err := os.RemoveAll(filepath.Join("/etc/netns", string(n))); err != nil {
		t.Error(err)
	}
	_ = os.Remove("/etc/netns") // if nobody else has something there
}

// Connect makes a cable between two namespaces. The ends are devices named "cable".
func Connect(t testing.TB, one, other Namespace) {
	t.Helper()
	ip(t, fmt.Sprintf("link add cable netns %s type veth peer name cable netns %s", one, other))
	for _, n := range []Namespace{one, other} {
		ip(t, fmt.Sprintf("-n %s link set cable up", n))
	}
}

// Address gives a device addresses, each in a network of 24 or 64 bits.
func (n Namespace) Address(t testing.TB, device string, addresses ...string) {
	t.Helper()
	for _, address := range addresses {
		length := "/24"
		if strings.Contains(address, ":") {
			length = "/64 nodad"
		}
		ip(t, fmt.Sprintf("-n %s address add %s%s dev %s", n, address, length, device))
	}
}

// Resolve lets the programs in the namespace find their name server, as ip-netns(8)
// has it.
func (n Namespace) Resolve(t testing.TB, nameServer string) {
	t.Helper()
	folder := filepath.Join("/etc/netns", string(n))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "nameserver " + nameServer + "\noptions timeout:1 attempts:1\n"
	if err := os.WriteFile(filepath.Join(folder, "resolv.conf"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Command is a command that runs there. ip replaces itself by the program, so its
// process is the program's.
func (n Namespace) Command(command ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", string(n)}, command...)...)
}

// NameServer starts a name server at the address that knows the domains below "test"
// by its records, which are as dnsmasq(8) wants them, and no other.
func (n Namespace) NameServer(t testing.TB, address string, records ...string) {
	t.Helper()
	command := n.Command(append([]string{
		"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=",
		"--listen-address=" + address, "--bind-interfaces", "--log-facility=-", "--local=/test/",
	}, records...)...)
	var said bytes.Buffer
	command.Stderr = &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("dnsmasq said: %s", said.String())
		}
	})
}

// RunTests runs those tests of this binary in the namespace whose names the pattern
// fits, with more in their environment, and wants all to pass and some to be there.
func (n Namespace) RunTests(t testing.TB, pattern string, within time.Duration, environment ...string) {
	t.Helper()
	command := n.Command(os.Args[0], "-test.run="+pattern, "-test.v", "-test.timeout="+within.String())
	command.Env = append(os.Environ(), environment...)
	started := time.Now()
	output, err := command.CombinedOutput()
	if err != nil || !bytes.Contains(output, []byte("\n--- PASS: ")) {
		t.Fatalf("%v:\n%s", err, output)
	}
	t.Logf("in %v:\n%s", time.Since(started).Round(time.Millisecond), output)
}
