package torture_test

import (
	"context"
	"errors"
	"net"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
	"vestnik/internal/torture"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var ctx = context.Background()

// underFuse opens the database through a fuse.
func underFuse(t *testing.T, url string, f *torture.Fuse) *store.Store {
	t.Helper()
	s, err := store.OpenThrough(ctx, url, f.Driver)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Release()
		s.Close()
	})
	f.Light()
	return s
}

func accounts(t *testing.T, url string) int64 {
	t.Helper()
	n, err := storetest.Open(t, url).CountAccounts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func create(s *store.Store) error {
	_, err := s.CreateAccount(ctx, mailing.Account{Email: "anna@example.org", Role: mailing.RoleUser, Lang: "ru", Zone: "UTC"}, "hash")
	return err
}

func TestDatabaseUnderAFuse(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("the call that fails is not made, and the next one is", func(t *testing.T) {
			f := torture.NewFuse(1, torture.Fails)
			s := underFuse(t, url, f)
			if err := create(s); !errors.Is(err, torture.ErrBroken) || f.Burnt() == "" || accounts(t, url) != 0 {
				t.Fatalf("the error is %v, burnt at %q", err, f.Burnt())
			}
			if err := create(s); err != nil || accounts(t, url) != 1 {
				t.Errorf("the second time the error is %v", err)
			}
		})
		t.Run("the call whose answer is lost is made, and the next one has another connection", func(t *testing.T) {
			before := accounts(t, url)
			f := torture.NewFuse(1, torture.Lost)
			s := underFuse(t, url, f)
			_, err := s.StartNode(ctx, "one", time.Now(), time.Now())
			if !errors.Is(err, torture.ErrBroken) {
				t.Fatalf("the error is %v", err)
			}
			node, err := s.StartNode(ctx, "one", time.Now(), time.Now())
			if err != nil || node.Epoch > 2 || accounts(t, url) != before {
				t.Errorf("the node is %+v, %v", node, err)
			}
		})
		t.Run("what dies holds no lock and makes no more calls", func(t *testing.T) {
			f := torture.NewFuse(2, torture.Dies) // in the middle of the transaction
			s := underFuse(t, url, f)
			ended := make(chan error, 1)
			go func() { ended <- s.CancelRun(ctx, 1, time.Now()) }()
			for f.Burnt() == "" {
				select {
				case err := <-ended:
					t.Fatalf("the call has ended before it could die: %v", err)
				case <-time.After(time.Millisecond):
				}
			}
			if _, err := storetest.Open(t, url).StartNode(ctx, "two", time.Now(), time.Now()); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-ended:
				t.Fatalf("the dead call has returned: %v", err)
			default:
			}
			f.Release()
			if err := <-ended; err == nil {
				t.Error("the dead call did well")
			}
		})
	})
}

func TestNetworkUnderAFuse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	f := torture.NewFuse(2, torture.Lost)
	f.Light()
	conn, err := f.Dial(ctx, "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	other, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := conn.Write([]byte("hello")); !errors.Is(err, torture.ErrBroken) {
		t.Errorf("the write ends with %v", err)
	}
	heard := make([]byte, 100)
	if n, err := other.Read(heard); err != nil || string(heard[:n]) != "hello" {
		t.Errorf("the other side hears %q, %v; want what was written", heard[:n], err)
	}
	if _, err := conn.Write([]byte("more")); err == nil {
		t.Error("the connection is still there")
	}
}

func TestReckon(t *testing.T) {
	delivery := func(email string, state mailing.DeliveryState) mailing.Delivery {
		return mailing.Delivery{Email: email, State: state}
	}
	for _, c := range []struct {
		name       string
		deliveries []mailing.Delivery
		copies     map[string]int
		allowed    int
		complaints string
	}{
		{
			name:       "sent, failed, skipped and in doubt are accounted for",
			deliveries: []mailing.Delivery{delivery("a", mailing.Sent), delivery("b", mailing.Failed), delivery("c", mailing.Skipped), delivery("d", mailing.InDoubt)},
			copies:     map[string]int{"a": 1, "d": 1}, allowed: 1,
		},
		{name: "said to be sent and not there is lost", deliveries: []mailing.Delivery{delivery("a", mailing.Sent)}, allowed: 1, complaints: "lost"},
		{name: "waiting for ever is lost", deliveries: []mailing.Delivery{delivery("a", mailing.Waiting)}, allowed: 1, complaints: "lost"},
		{name: "sending for ever is stuck", deliveries: []mailing.Delivery{delivery("a", mailing.Sending)}, allowed: 1, complaints: "stuck"},
		{name: "there and said to have failed is untrue", deliveries: []mailing.Delivery{delivery("a", mailing.Failed)}, copies: map[string]int{"a": 1}, allowed: 1, complaints: "listed wrongly"},
		{name: "two copies are too many", deliveries: []mailing.Delivery{delivery("a", mailing.Sent)}, copies: map[string]int{"a": 2}, allowed: 1, complaints: "too often"},
		{name: "unless they are allowed", deliveries: []mailing.Delivery{delivery("a", mailing.Sent)}, copies: map[string]int{"a": 2}, allowed: 2},
		{name: "whom nobody knows is untrue", copies: map[string]int{"a": 1}, allowed: 1, complaints: "listed wrongly"},
	} {
		t.Run(c.name, func(t *testing.T) {
			said := strings.Join(torture.Reckon(c.deliveries, c.copies, c.allowed).Complaints(), "; ")
			if (said == "") != (c.complaints == "") || !strings.Contains(said, c.complaints) {
				t.Errorf("it complains %q, want %q", said, c.complaints)
			}
		})
	}
}

func TestResult(t *testing.T) {
	path := t.TempDir() + "/result"
	t.Setenv(torture.ResultSetting, path)
	first := torture.Line{Fault: "kill -9", Database: "sqlite"}
	first.Add(torture.Reckoning{Recipients: 10, Again: 1, Lost: []string{"a"}}, time.Second)
	torture.Record(t, torture.Line{Fault: "kill -9", Database: "sqlite"})
	torture.Record(t, torture.Line{Fault: "kill -9", Database: "postgres"})
	torture.Record(t, first)
	lines := read(t, path)
	first.Long = torture.Long()
	if len(lines) != 2 || !reflect.DeepEqual(lines[0], first) {
		t.Fatalf("the result is %+v, want the last line of each database, SQLite first", lines)
	}
	document := "Before.\n<!-- what make torture found, written by it -->\nold\n<!-- end of what make torture found -->\nAfter.\n"
	changed, err := torture.Replace(document, torture.Table(lines))
	if err != nil || strings.Contains(changed, "old") || !strings.Contains(changed, "| 1 | 10 | 1 | 1 | 0 | 1.0 s |") ||
		!strings.HasPrefix(changed, "Before.\n") || !strings.HasSuffix(changed, "After.\n") {
		t.Errorf("the document is now %q, %v", changed, err)
	}
	if again, err := torture.Replace(changed, torture.Table(lines)); err != nil || again != changed {
		t.Error("the same table changes the document")
	}
	if _, err := torture.Replace("no markers", ""); err == nil {
		t.Error("nothing is said about a document without a place for the table")
	}
}

func read(t *testing.T, path string) []torture.Line {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := torture.ReadResult(file)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
