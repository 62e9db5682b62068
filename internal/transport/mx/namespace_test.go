package mx

import (
	"bufio"
	"os"
	"testing"
	"time"

	"vestnik/internal/netns"
)

// What this test binary is told when it is started in a namespace.
const (
	roleSetting   = "VESTNIK_MX_ROLE"
	roleWorld     = "world"             // be everybody else's servers
	roleSender    = "sender"            // run the tests of TestInNamespaces
	folderSetting = "VESTNIK_MX_FOLDER" // where both find the certificate authority
)

// startWorld starts this binary as the world's servers and waits until they
// listen.
func startWorld(t *testing.T, namespace netns.Namespace, folder string) {
	t.Helper()
	command := namespace.Command(os.Args[0])
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
	netns.Need(t)
	folder := t.TempDir()
	sender, world := netns.New(t, "sender"), netns.New(t, "world")
	netns.Connect(t, sender, world)
	sender.Address(t, "cable", "10.77.0.2", "fd77::2")
	world.Address(t, "cable", worldAddresses...)
	sender.Resolve(t, dnsAddress)
	world.NameServer(t, dnsAddress, worldRecords()...)
	startWorld(t, world, folder)
	sender.RunTests(t, "^TestDirectly$", 3*time.Minute, roleSetting+"="+roleSender, folderSetting+"="+folder)
}
