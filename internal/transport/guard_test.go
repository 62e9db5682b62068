package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"vestnik/internal/mailing"
)

func TestGuard(t *testing.T) {
	never := []string{
		"169.254.169.254", "169.254.1.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fe80::1",
		"fd00:ec2::254", "100.100.100.200", "192.0.0.192", "0.0.0.0", "::", "255.255.255.255", "224.0.0.1", "ff02::1",
	}
	private := []string{"127.0.0.1", "::1", "10.0.0.5", "172.16.3.4", "192.168.1.1", "fd12::1", "100.64.0.1", "::ffff:10.0.0.5"}
	public := []string{"192.0.2.25", "203.0.113.9", "2001:db8::25", "8.8.8.8"}
	ask := func(g Guard, address string) error {
		return g.control("tcp", netip.AddrPortFrom(netip.MustParseAddr(address), 25).String(), nil)
	}
	for _, g := range []Guard{{}, {Private: true}} {
		for _, address := range never {
			if mailing.CodeOf(ask(g, address)) != "smtp_address_forbidden" {
				t.Errorf("%+v lets a connection to %s through", g, address)
			}
		}
		for _, address := range private {
			if refused := ask(g, address) != nil; refused == g.Private {
				t.Errorf("%+v and %s: refused %v", g, address, refused)
			}
		}
		for _, address := range public {
			if err := ask(g, address); err != nil {
				t.Errorf("%+v refuses %s: %v", g, address, err)
			}
		}
	}
	t.Run("an address with a zone is looked at, too", func(t *testing.T) {
		if (Guard{Private: true}).control("tcp6", "[fe80::1%lo]:25", nil) == nil {
			t.Error("it is let through")
		}
	})
}

// TestGuardAfterDNS holds that it is the address that counts, and not the name: one
// that led to a good place when it was checked may lead to a bad one now.
func TestGuardAfterDNS(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	called := make(chan struct{}, 1)
	go func() {
		if c, err := listener.Accept(); err == nil {
			called <- struct{}{}
			c.Close()
		}
	}()
	relay := &Relay{Host: "localhost", Port: port, Dial: Guard{}.Dial}
	_, err = relay.Open(context.Background())
	var failed *OpenError
	if !errors.As(err, &failed) || failed.Stage != StageConnect || mailing.CodeOf(err) != "smtp_address_forbidden" {
		t.Errorf("a name of this machine: %v", err)
	}
	if !strings.Contains(err.Error(), "smtp_address_forbidden") {
		t.Errorf("the log does not say why: %v", err)
	}
	select {
	case <-called:
		t.Error("the server was connected to")
	default:
	}
	relay.Dial = Guard{Private: true}.Dial
	if _, err := relay.Open(context.Background()); mailing.CodeOf(err) == "smtp_address_forbidden" {
		t.Errorf("with private addresses permitted: %v", err)
	}
}
