package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vestnik/internal/auth"
	"vestnik/internal/browser"
	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
)

// bigHouse is a service on a base as it is after years, with an admin who is signed in.
type bigHouse struct {
	*house
	base    string // address of the pages
	numbers string // address of the metrics
	client  *http.Client
	session string // cookie of the admin
	sends   mailing.Mailing
	pages   map[string]string // that are measured: path by route
}

func newBigHouse(t *testing.T) *bigHouse {
	t.Helper()
	h := &bigHouse{house: newHouse(t, storetest.SQLiteURL(t))}
	began := time.Now()
	grown := storetest.Big(t, h.store, h.owner)
	t.Logf("%d clients, %d mailings and %d tries were made in %s", storetest.BigClients, storetest.BigMailings,
		storetest.BigTries, time.Since(began).Round(time.Second))
	h.sends = h.mailing(mailing.NeverTwice)
	hash, err := auth.NewHasher(1).Hash(t.Context(), storyPassword)
	if err == nil {
		err = h.store.SetPassword(t.Context(), h.owner.ID, hash)
	}
	if err == nil {
		_, err = h.store.Writer().Exec("update accounts set role = 'admin' where id = $1", h.owner.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	// A mail server as far away as most are: the run of a hundred thousand lasts.
	s := newSink(t, smtpsink.Options{Delay: 20 * time.Millisecond})
	address, numbers := freeAddr(t), freeAddr(t)
	h.base, h.numbers = "http://"+address, "http://"+numbers+"/metrics"
	h.serve(s.Addr(), "VESTNIK_ADDR="+address, "VESTNIK_BASE_URL="+h.base, "VESTNIK_METRICS_ADDR="+numbers).says("pages are served", 2*time.Minute)
	h.signIn()
	h.pages = map[string]string{
		"GET /{$}": "/", "GET /mailings": "/mailings", "GET /mailings/{id}": fmt.Sprint("/mailings/", grown.Mailing),
		"GET /runs/{id}": fmt.Sprint("/runs/", grown.Run), "GET /logs": "/logs", "GET /clients": "/clients",
	}
	return h
}

func (h *bigHouse) signIn() {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	h.client = &http.Client{Jar: jar, Timeout: pagesPatience, Transport: &http.Transport{MaxIdleConnsPerHost: visitorsAtOnce}}
	answer, err := h.client.PostForm(h.base+"/login", url.Values{"email": {h.owner.Email}, "password": {storyPassword}})
	if err != nil {
		h.t.Fatal(err)
	}
	answer.Body.Close()
	home, _ := url.Parse(h.base)
	for _, cookie := range jar.Cookies(home) {
		if cookie.Name == "session" {
			h.session = cookie.Value
		}
	}
	if h.session == "" {
		h.t.Fatalf("nobody is signed in: %s", answer.Status)
	}
}

// pagesPatience is more than any page takes on a machine that does other things. Chosen.
const pagesPatience = time.Minute

func TestALargeBase(t *testing.T) {
	if os.Getenv("VESTNIK_TEST_LARGE") == "" {
		t.Skip("make large sets VESTNIK_TEST_LARGE=1: it measures pages in milliseconds for two minutes, and so wants a machine that does nothing else")
	}
	needSystem(t)
	storyNeeds(t)
	lighthouse := browser.Need(t, filepath.Join("..", "..", "node_modules", ".bin", "lighthouse"), "npm ci")
	h := newBigHouse(t)
	t.Run("Lighthouse has nothing to say", func(t *testing.T) {
		for _, route := range slices.Sorted(maps.Keys(h.pages)) {
			t.Run(route, func(t *testing.T) { h.audit(t, lighthouse, h.pages[route]) })
		}
	})
	t.Run("nineteen pages of twenty take less than 200 ms while a run goes out", h.visitWhileSending)
}

// What Lighthouse must say at least, of a hundred. How fast a page is depends on what
// else the machine does, and most of our machines do much: the best of some runs counts,
// as the others only show the neighbours. The rest does not change, and is to be whole.
var leastScores = map[string]float64{"performance": 95, "accessibility": 100, "best-practices": 100}

const auditRuns = 5

// auditPatience is how long Lighthouse may look at one page, which takes it fifteen
// seconds on a machine that does nothing else. Chosen.
const auditPatience = 5 * time.Minute

// audit has Lighthouse look at a page as at a desk: that is where such pages are worked
// on. Its picture of a slow phone slows this machine's processor down four times by
// reckoning, and so measures the machine. That phones get the same is what the walk
// through all pages sees to, and the size of what they load.
func (h *bigHouse) audit(t *testing.T, lighthouse, path string) {
	var best map[string]float64
	var why []string
	for run := range auditRuns {
		scores, faults := h.lighthouse(t, lighthouse, path)
		if best == nil || scores["performance"] > best["performance"] {
			best, why = scores, faults
		}
		if enough(best) || scores["accessibility"] < 100 || scores["best-practices"] < 100 {
			t.Logf("%v after %d runs", best, run+1)
			break
		}
	}
	if !enough(best) {
		t.Errorf("%s has %v of %v:\n%s", path, best, leastScores, strings.Join(why, "\n"))
	}
}

func enough(scores map[string]float64) bool {
	for category, least := range leastScores {
		if scores[category] < least {
			return false
		}
	}
	return true
}

// lighthouseReport is what we read of its JSON.
type lighthouseReport struct {
	RuntimeError struct{ Message string }
	Categories   map[string]struct {
		Score     float64
		AuditRefs []struct {
			ID     string
			Weight float64
		}
	}
	Audits map[string]struct {
		Title, DisplayValue string
		Score               *float64
		Details             struct{ Items json.RawMessage } // most often a list
	}
}

// lighthouse returns the scores by category, of a hundred, and what cost points.
func (h *bigHouse) lighthouse(t *testing.T, program, path string) (scores map[string]float64, faults []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), auditPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, h.base+path, "--quiet", "--output=json", "--preset=desktop", "--no-enable-error-reporting",
		"--only-categories=performance,accessibility,best-practices", "--extra-headers", browser.JS(map[string]string{"Cookie": "session=" + h.session}),
		"--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-component-update --disable-background-networking")
	cmd.Env = append(os.Environ(), "CHROME_PATH="+storyNeeds(t))
	// When it is given up it takes its browser with it, if it is asked to.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	out, err := cmd.Output()
	var report lighthouseReport
	if err == nil {
		err = json.Unmarshal(out, &report)
	}
	if err != nil || report.RuntimeError.Message != "" {
		t.Fatalf("Lighthouse did not look at %s: %v %s", path, err, report.RuntimeError.Message)
	}
	scores = map[string]float64{}
	for name, category := range report.Categories {
		scores[name] = category.Score * 100
		for _, ref := range category.AuditRefs {
			a := report.Audits[ref.ID]
			if ref.Weight > 0 && a.Score != nil && *a.Score < 1 {
				faults = append(faults, fmt.Sprintf("%s: %s (%s) %s", name, a.Title, ref.ID, a.DisplayValue))
				var items []struct{ Node struct{ Snippet string } }
				_ = json.Unmarshal(a.Details.Items, &items)
				for _, item := range items {
					faults = append(faults, "\t"+item.Node.Snippet)
				}
			}
		}
	}
	return scores, faults
}

// visitorsAtOnce read a page for readFor each, more or less, and open another.
const (
	visitorsAtOnce = 50
	readFor        = time.Second
	visitFor       = 12 * time.Second
	visitRounds    = 4
)

// slowest is what one page in twenty may take and more, in seconds, by the server's clock.
const slowest = 0.2

// visitWhileSending has people visit while a run goes out. Neighbours on the machine make
// pages slower, never quicker, so the best of some rounds counts.
func (h *bigHouse) visitWhileSending(t *testing.T) {
	run := h.in(t).sendNow(h.sends)
	await(t, time.Minute, "the run goes out", func() bool { return h.in(t).run(run).Counts.Sent > 100 })
	for round := range visitRounds {
		before := h.answers(t)
		h.visit(t)
		all, slow := tell(t, before, h.answers(t))
		if counts := h.in(t).run(run).Counts; counts.Waiting() == 0 {
			t.Fatalf("the run was over before the visits were: %+v", counts)
		}
		t.Logf("round %d: %d of %d pages took longer than %v s", round+1, slow, all, slowest)
		if all < visitorsAtOnce {
			t.Fatalf("only %d pages were counted", all)
		}
		if slow*20 <= all {
			return
		}
	}
	t.Errorf("in each of %d rounds, more than one page in twenty took longer than %v s", visitRounds, slowest)
}

// visit has visitors open pages.
func (h *bigHouse) visit(t *testing.T) {
	paths := slices.Sorted(maps.Values(h.pages))
	until := time.Now().Add(visitFor)
	var people sync.WaitGroup
	for range visitorsAtOnce {
		people.Go(func() {
			for time.Now().Before(until) {
				time.Sleep(time.Duration(rand.Int64N(int64(2 * readFor))))
				path := paths[rand.IntN(len(paths))]
				answer, err := h.client.Get(h.base + path)
				if err != nil {
					t.Errorf("%s: %v", path, err)
					return
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				if answer.StatusCode != http.StatusOK {
					t.Errorf("%s answers %s", path, answer.Status)
				}
			}
		})
	}
	people.Wait()
}

// answered is a line of the metrics: how many answers of a route took no longer than so
// many seconds.
var answered = regexp.MustCompile(`(?m)^vestnik_http_seconds_bucket\{route="(GET [^"]+)",status="200",le="([^"]+)"\} (\d+)$`)

// answers are how many there were by route and bound.
func (h *bigHouse) answers(t *testing.T) map[[2]string]int {
	t.Helper()
	answer, err := http.Get(h.numbers)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[[2]string]int{}
	for _, match := range answered.FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.Atoi(match[3])
		if err != nil {
			t.Fatal(err)
		}
		counts[[2]string{match[1], match[2]}] = n
	}
	return counts
}

// tell says how many pages there were between two looks, and how many of them were slow.
func tell(t *testing.T, before, after map[[2]string]int) (all, slow int) {
	for key, n := range after {
		if key[1] != "+Inf" {
			continue
		}
		quick := [2]string{key[0], strconv.FormatFloat(slowest, 'g', -1, 64)}
		of := n - before[key]
		late := of - (after[quick] - before[quick])
		if of > 0 {
			t.Logf("%-22s %4d pages, %3d of them slow", key[0], of, late)
		}
		all, slow = all+of, slow+late
	}
	return all, slow
}
