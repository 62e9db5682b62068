package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestSlowVisitors holds many connections open as the attack "Slowloris" does, which
// sends a header a line at a time and never ends it, and looks whether others get
// through and how long the connections last.
func TestSlowVisitors(t *testing.T) {
	t.Parallel()
	c := storySettings(t)
	base := storyService(t, c)
	const attackers, most = 200, 10 * time.Second
	var all sync.WaitGroup
	lasted := make(chan time.Duration, attackers)
	for i := range attackers {
		all.Go(func() {
			conn, err := net.Dial("tcp", c.Addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			begun := time.Now()
			fmt.Fprintf(conn, "GET /login HTTP/1.1\r\nHost: %s\r\n", c.Addr)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, _ = io.Copy(io.Discard, conn) // until the service hangs up
			}()
			for {
				select {
				case <-ended:
					lasted <- time.Since(begun)
					return
				case <-time.After(time.Second + time.Duration(i)*time.Millisecond):
					_, _ = io.WriteString(conn, "X-More: of it\r\n")
				}
			}
		})
	}
	t.Run("others are served meanwhile", func(t *testing.T) {
		for range 5 {
			answer, err := http.Get(base + "/login")
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Errorf("the answer is %d", answer.StatusCode)
			}
		}
	})
	all.Wait()
	close(lasted)
	n := 0
	for took := range lasted {
		n++
		if took > 3*most { // on a machine that has other things to do
			t.Errorf("a connection lasted %s", took)
		}
	}
	if n != attackers {
		t.Errorf("%d of %d connections were ended", n, attackers)
	}
}

func TestLargeHeader(t *testing.T) {
	t.Parallel()
	c := storySettings(t)
	storyService(t, c)
	conn, err := net.Dial("tcp", c.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /login HTTP/1.1\r\nHost: %s\r\nX-Large: %s\r\n\r\n", c.Addr, strings.Repeat("a", 80<<10))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 80 KB is answered by %d", answer.StatusCode)
	}
}
