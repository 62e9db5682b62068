package server_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	address := freeAddr(t)
	c := storySettings(t, "VESTNIK_METRICS_ADDR="+address, "VESTNIK_SAMPLE_DATA=true")
	base := storyService(t, c)
	ask := func(t *testing.T, url, host string) (int, string) {
		t.Helper()
		in, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		in.Host = host
		answer, err := http.DefaultClient.Do(in)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(text)
	}
	t.Run("the pages have neither numbers nor profiles", func(t *testing.T) {
		for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars"} {
			if status, _ := ask(t, base+path, ""); status != http.StatusNotFound {
				t.Errorf("%s answers %d", path, status)
			}
		}
	})
	t.Run("beside them are numbers of the mails, the queue, the runs, the answers and the runtime", func(t *testing.T) {
		ask(t, base+"/login", "")
		answer, err := http.PostForm(base+"/reset", url.Values{"email": {"demo@example.com"}})
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		var text string
		await(t, 30*time.Second, "the numbers are there", func() bool {
			_, text = ask(t, "http://"+address+"/metrics", "")
			return strings.Contains(text, `vestnik_http_seconds_count{route="GET /login",status="200"}`) &&
				strings.Contains(text, `vestnik_mails_total{result="accepted"} 1`)
		})
		for _, want := range []string{
			`vestnik_mails_total{result="failed"} 0`, `vestnik_settle_seconds_bucket{le="10"} 1`, "\nvestnik_queue_depth 0\n", `vestnik_runs{state="completed"} `,
			"vestnik_database_up 1", "vestnik_jobs", "\nvestnik_nodes 1\n", "go_goroutines ", `vestnik_build_info{version="story"} 1`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in\n%s", want, text)
			}
		}
		if strings.Contains(text, "@") {
			t.Errorf("an address is among the numbers:\n%s", text)
		}
	})
	t.Run("profiles are there, and no pages", func(t *testing.T) {
		if status, text := ask(t, "http://"+address+"/debug/pprof/goroutine?debug=1", ""); status != http.StatusOK || !strings.Contains(text, "goroutine profile") {
			t.Errorf("the answer is %d %.100s", status, text)
		}
		if status, _ := ask(t, "http://"+address+"/login", ""); status != http.StatusNotFound {
			t.Errorf("a page is there: %d", status)
		}
	})
	t.Run("a web page cannot have a browser ask by a name of its own", func(t *testing.T) {
		if status, _ := ask(t, "http://"+address+"/metrics", "rebound.example.org"); status != http.StatusForbidden {
			t.Errorf("the answer is %d", status)
		}
	})
}
