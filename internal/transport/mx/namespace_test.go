package mx

import (
	"bufio"
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

// What this test binary is told when it is started in a namespace.
const (
	roleSetting   = "VESTNIK_MX_ROLE"
	roleWorld     = "world"             // be everybody else's servers
	roleSender    = "sender"            // run the tests of TestInNamespaces
	folderSetting = "VESTNIK_MX_FOLDER" // where both find the certificate authority
)

// systemSetting lets tests use programs and rights of the machine.
const systemSetting = "VESTNIK_TEST_SYSTEM"

// namespacePrefix begins the names of our network namespaces; the number of the
// process that made them follows.
const namespacePrefix = "vestnik-mx-"

// needNamespaces skips a test where network namespaces cannot be made or are not
// asked for.
func needNamespaces(t *testing.T) {
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
func ip(t *testing.T, words string) {
	t.Helper()
	if output, err := exec.Command("ip", strings.Fields(words)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", words, err, output)
	}
}

// removeStale removes namespaces of runs that were killed, and what they left
// running in there.
func removeStale(t *testing.T) {
	t.Helper()
	output, err := exec.Command("ip", "netns", "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(output)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest, ours := strings.CutPrefix(name, namespacePrefix)
		number, _, _ := strings.Cut(rest, "-")
		pid, err := strconv.Atoi(number)
		if ours && err == nil && syscall.Kill(pid, 0) != nil {
			endPrograms(t, name)
			removeNamespace(t, name)
		}
	}
}

func endPrograms(t *testing.T, namespace string) {
	t.Helper()
	output, err := exec.Command("ip", "netns", "pids", namespace).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range strings.Fields(string(output)) {
		if pid, err := strconv.Atoi(word); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func removeNamespace(t *testing.T, name string) {
	if output, err := exec.Command("ip", "netns", "delete", name).CombinedOutput(); err != nil {
		t.Errorf("delete %s: %v: %s", name, err, output)
	}
	if err := os.RemoveAll(filepath.Join("/etc/netns", name)); err != nil {
		t.Error(err)
	}
	_ = os.Remove("/etc/netns") // if nobody else has something there
}

// newNamespace makes a namespace that is removed when the test ends.
func newNamespace(t *testing.T, suffix string) string {
	t.Helper()
	name := fmt.Sprint(namespacePrefix, os.Getpid(), "-", suffix)
	ip(t, "netns add "+name)
	t.Cleanup(func() { removeNamespace(t, name) })
	ip(t, "-n "+name+" link set lo up")
	return name
}

// connect makes a cable between two namespaces and gives its ends addresses.
func connect(t *testing.T, sender, world string) {
	t.Helper()
	ip(t, "link add cable netns "+sender+" type veth peer name cable netns "+world)
	addresses := map[string][]string{sender: {"10.77.0.2", "fd77::2"}, world: worldAddresses}
	for name, all := range addresses {
		ip(t, "-n "+name+" link set cable up")
		for _, address := range all {
			length := "/24"
			if strings.Contains(address, ":") {
				length = "/64 nodad"
			}
			ip(t, "-n "+name+" address add "+address+length+" dev cable")
		}
	}
}

// resolvConf lets the programs in a namespace find its name server, as ip-netns(8)
// has it.
func resolvConf(t *testing.T, namespace string) {
	t.Helper()
	folder := filepath.Join("/etc/netns", namespace)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "nameserver " + dnsAddress + "\noptions timeout:1 attempts:1\n"
	if err := os.WriteFile(filepath.Join(folder, "resolv.conf"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// inNamespace is a command that runs there. ip replaces itself by the program,
// so its process is the program's.
func inNamespace(namespace string, command ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", namespace}, command...)...)
}

// startDNS starts the name server of the world.
func startDNS(t *testing.T, namespace string) {
	t.Helper()
	command := inNamespace(namespace, append([]string{
		"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=",
		"--listen-address=" + dnsAddress, "--bind-interfaces", "--log-facility=-", "--local=/test/",
	}, worldRecords()...)...)
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

// startWorld starts this binary as the world's servers and waits until they
// listen.
func startWorld(t *testing.T, namespace, folder string) {
	t.Helper()
	command := inNamespace(namespace, os.Args[0])
	command.Env = append(os.Environ(), roleSetting+"="+roleWorld, folderSetting+"="+folder)
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe() // its end is the world's
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := command.Wait(); err != nil {
			t.Errorf("the world: %v", err)
		}
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the world says %q, %v", line, err)
	}
}

// TestInNamespaces makes a world of its own, with real cables, name server and
// mail servers on port 25, and tests direct sending in it. The tests themselves
// are in TestDirectly, which this binary runs once more in the sender's
// namespace.
func TestInNamespaces(t *testing.T) {
	if os.Getenv(roleSetting) == roleSender {
		t.Skip("we are in one")
	}
	needNamespaces(t)
	removeStale(t)
	folder := t.TempDir()
	sender, world := newNamespace(t, "sender"), newNamespace(t, "world")
	connect(t, sender, world)
	resolvConf(t, sender)
	startDNS(t, world)
	startWorld(t, world, folder)

	command := inNamespace(sender, os.Args[0], "-test.run=^TestDirectly$", "-test.v", "-test.timeout=3m")
	command.Env = append(os.Environ(), roleSetting+"="+roleSender, folderSetting+"="+folder)
	started := time.Now()
	output, err := command.CombinedOutput()
	if err != nil || !bytes.Contains(output, []byte("--- PASS: TestDirectly")) {
		t.Fatalf("%v:\n%s", err, output)
	}
	t.Logf("in %v:\n%s", time.Since(started).Round(time.Millisecond), output)
}
