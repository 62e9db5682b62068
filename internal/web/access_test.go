package web_test

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/web"
)

// The matrix of access: what every route answers to every kind of visitor, for their
// own thing, for somebody else's, and for one that is not there. It is the file
// testdata/access.txt, which is to be read and judged like code; the test makes it
// anew and compares.
//
// Who adds a route
//
//  1. says in thingPaths whose thing it names, if its path has an {id} below a new
//     beginning, and has harness.things make one;
//  2. says in accessFixtures what to send so that the thing is done, if it changes
//     anything, and how things must stand before;
//  3. runs `go test ./internal/web -run TestAccess -update` and reads the difference.
//
// Somebody else is a user; where the thing is a person, another manager and another admin
// have rows of their own. A list that shows everybody's things on request has a row for that, "everyone".
//
// A cell is the status of the answer, "login" where it leads to the sign-in page, with
// "+1" if the visit has left a deed in the audit log. "." is what cannot be: strangers
// own nothing.
var update = flag.Bool("update", false, "write testdata/access.txt anew")

const accessFile = "testdata/access.txt"

const accessHead = `# What every route answers to whom; internal/web/access_test.go tells how to read and renew it.
# unconfirmed and blocked: with a session from before. All sit at this machine, where anybody may
# read the demo mailbox; from elsewhere only admins may.
`

var visitors = []string{"anonymous", "unconfirmed", "blocked", "user", "manager", "admin"}

// noDeed are the routes and visitors who do something that leaves no deed, and why.
var noDeed = map[string]string{
	"POST /messages/preview":        "it only shows",
	"POST /mailings/preview":        "it only shows",
	"POST /mailings/{id}/discard":   "what was typed has counted for nothing",
	"POST /admin/blog/preview":      "it only shows",
	"POST /relays/preset":           "it only shows",
	"POST /profile/confirm":         "it only proves who is there",
	"POST /logout anonymous":        "nobody was signed in",
	"POST /logout unconfirmed":      "nobody was signed in",
	"POST /logout blocked":          "nobody was signed in",
	"POST /preferences anonymous":   "the browser keeps the language",
	"POST /preferences unconfirmed": "the browser keeps the language",
	"POST /preferences blocked":     "the browser keeps the language",

	"POST /profile/security/passkeys/ask": "it only asks the browser",
	"POST /profile/confirm/passkey":       "it only asks the browser",
	"POST /login/passkey/ask":             "it only asks the browser",
	"POST /login/factor/passkey":          "it only asks the browser",
}

// peers are whose things are visited besides, where the thing is a person: those of others
// who have a role.
var peers = []string{string(mailing.RoleManager), string(mailing.RoleAdmin)}

// everyonesLists are the routes that show everybody's things on request.
var everyonesLists = []string{"GET /clients", "GET /messages", "GET /mailings", "GET /logs", "GET /logs.csv"}

// twoDeeds are the routes that do two things, and which.
var twoDeeds = map[string]string{
	"POST /invitation/{token}": "the account is made, and signed in",
}

// manyDeeds are the routes that do several things, and how many: those of the examples make
// or remove clients, a message and a mailing.
var manyDeeds = map[string]int{"POST /examples": 5, "POST /examples/remove": 4}

// downloads change nothing, and yet it is written down who has taken whose recipients away.
var downloads = []string{"GET /logs.csv", "GET /runs/{id}/recipients.csv"}

func TestAccess(t *testing.T) {
	h := newAccessHarness(t)
	w := newAccessWorld(h)
	got := w.matrix(t, h.web.Routes())
	if *update {
		if err := os.WriteFile(accessFile, []byte(accessHead+strings.Join(got, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(accessFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, difference := range differences(strings.Split(string(want), "\n"), got) {
		t.Error(difference)
	}
}

func TestARouteThatIsInNoMatrixIsReported(t *testing.T) {
	h := newAccessHarness(t)
	made := web.Route{Pattern: "GET /made-up", Access: web.SignedIn}
	got := newAccessWorld(h).matrix(t, []web.Route{made})
	want, err := os.ReadFile(accessFile)
	if err != nil {
		t.Fatal(err)
	}
	found := differences(strings.Split(string(want), "\n"), got)
	if !slices.ContainsFunc(found, func(line string) bool {
		return strings.HasPrefix(line, "GET /made-up") && strings.Contains(line, "is not in")
	}) {
		t.Errorf("it is not: %s", strings.Join(found[:min(3, len(found))], "\n"))
	}
	if !slices.ContainsFunc(found, func(line string) bool {
		return strings.HasPrefix(line, "GET /clients") && strings.Contains(line, "is gone")
	}) {
		t.Error("a route that is gone is not reported")
	}
}

// differences tells what is in one matrix and not, or otherwise, in the other.
func differences(want, got []string) (list []string) {
	expected := map[string]string{}
	for _, line := range want {
		if line != "" && !strings.HasPrefix(line, "#") {
			expected[rowName(line)] = line
		}
	}
	for _, line := range got {
		if strings.HasPrefix(line, "#") {
			continue
		}
		switch old, known := expected[rowName(line)]; {
		case !known:
			list = append(list, fmt.Sprintf("%s is not in %s:\n%s", rowName(line), accessFile, line))
		case old != line:
			list = append(list, fmt.Sprintf("%s is otherwise than in %s:\nwant %s\ngot  %s", rowName(line), accessFile, old, line))
		}
		delete(expected, rowName(line))
	}
	for name, line := range expected {
		list = append(list, fmt.Sprintf("%s is gone:\n%s", name, line))
	}
	return list
}

// rowName is the route and whose thing.
func rowName(line string) string {
	fields := strings.Fields(line)
	return strings.Join(fields[:min(3, len(fields))], " ")
}

// matrix visits the routes as everybody.
func (w *accessWorld) matrix(t *testing.T, routes []web.Route) []string {
	lines := []string{fmt.Sprintf("%-46s %-8s %s", "# route", "whose", columns(visitors))}
	for _, route := range routes {
		whose := []string{"-"}
		if _, owned := thingPath(route.Pattern, things{}); owned {
			whose = []string{"own", "foreign", "missing"}
		}
		if strings.Contains(route.Pattern, " /admin/users/{id}") {
			whose = append(whose, peers...)
		}
		if slices.Contains(everyonesLists, route.Pattern) {
			whose = append(whose, "everyone")
		}
		w.h.run(route.Pattern, func(t *testing.T) {
			bodies := map[string]string{}
			for _, of := range whose {
				var cells []string
				for _, visitor := range visitors {
					cell, body := w.cell(t, route, visitor, of)
					cells = append(cells, cell)
					if visitor == "user" {
						bodies[of] = body
					}
				}
				lines = append(lines, fmt.Sprintf("%-46s %-8s %s", route.Pattern, of, columns(cells)))
			}
			if told := difference(bodies["foreign"], bodies["missing"]); told != "" {
				t.Errorf("somebody else's and missing are told apart: %s", told)
			}
		})
	}
	return lines
}

func columns(cells []string) string {
	var b strings.Builder
	for _, cell := range cells {
		fmt.Fprintf(&b, "%-12s", cell)
	}
	return strings.TrimRight(b.String(), " ")
}

// cell is what one visit comes to, and the page without what names the thing.
func (w *accessWorld) cell(t *testing.T, route web.Route, visitor, whose string) (cell, body string) {
	t.Helper()
	if visitor == "anonymous" && whose == "own" {
		return ".", ""
	}
	v := w.visit(t, route, visitor, whose)
	before, was := w.deeds(t), w.state(v.of)
	answer := v.send(route)
	left, is := w.deeds(t)-before, w.state(v.of)
	if v.after != nil {
		v.after()
	}
	if left > 0 || v.spent {
		delete(w.sets, v.owner)
	}
	cell = strconv.Itoa(answer.status)
	if strings.HasPrefix(answer.location(), "/login?next") || answer.location() == "/login" && strings.HasPrefix(route.Pattern, "GET ") {
		cell = "login"
	}
	refused := cell == "login" || answer.status >= 400
	if refused && is != was {
		t.Errorf("%s by %s, whose thing is %s, was refused and has changed something", route.Pattern, visitor, whose)
	}
	if answer.status >= 500 {
		t.Errorf("%s by %s, whose thing is %s, fails: %s", route.Pattern, visitor, whose, w.h.log)
	}
	w.checkDeeds(t, route, visitor, refused, left)
	checkWords(t, answer, fmt.Sprintf("%s by %s, whose thing is %s", route.Pattern, visitor, whose))
	if left > 0 {
		cell += fmt.Sprintf("+%d", left)
	}
	body = strings.ReplaceAll(answer.body, v.path, "")
	return cell, strings.ReplaceAll(body, url.QueryEscape(v.path), "")
}

// checkDeeds wants one deed for what was done and none for what was not.
func (w *accessWorld) checkDeeds(t *testing.T, route web.Route, visitor string, refused bool, left int) {
	t.Helper()
	want := 1
	_, never := noDeed[route.Pattern]
	_, notBy := noDeed[route.Pattern+" "+visitor]
	changesNothing := strings.HasPrefix(route.Pattern, "GET ") && !slices.Contains(downloads, route.Pattern)
	if changesNothing || refused || never || notBy {
		want = 0
	} else if _, two := twoDeeds[route.Pattern]; two {
		want = 2
	} else if many := manyDeeds[route.Pattern]; many > 0 {
		want = many
	}
	if left != want {
		t.Errorf("%s by %s has left %d deeds, want %d", route.Pattern, visitor, left, want)
	}
}

func (w *accessWorld) deeds(t *testing.T) (n int) {
	t.Helper()
	if err := w.h.store.Writer().QueryRow("select number from deed_chain").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// send makes the request: that of the route's method, with the form or the file.
func (v *visit) send(route web.Route) *page {
	switch {
	case strings.HasPrefix(route.Pattern, "GET "):
		return v.client.get(v.path)
	case v.files != nil:
		return v.client.sendFiles(v.path, v.form, v.files)
	case v.file != "":
		return v.client.upload(v.path, "file", "list.csv", v.file)
	}
	return v.client.post(v.path, v.form)
}
