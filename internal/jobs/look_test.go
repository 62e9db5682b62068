package jobs

import (
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestJobsAreLookedAtAndTurned(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		q := openQueue(t, s, url, nil) // nobody works
		a := app.New(app.Config{JobQueue: q}, s, auth.NewKeys([]byte(strings.Repeat("k", auth.MinSecret))))
		admin := storetest.Account(t, s, "admin@example.org")
		admin.Role = mailing.RoleAdmin
		for id := range int64(5) {
			ok(t, q.OpenRun(background, 100+id))
		}
		list := func(f app.JobFilter) []app.Job {
			t.Helper()
			jobs, err := a.Jobs(background, admin, f)
			ok(t, err)
			return jobs
		}
		deeds := func() (n int) {
			ok(t, s.Writer().QueryRow("select count(*) from deeds").Scan(&n))
			return n
		}
		all := list(app.JobFilter{Limit: 10})
		if len(all) != 5 || all[0].ID <= all[1].ID || all[0].Kind != "fill_run" || all[0].State != "available" || !strings.Contains(all[0].Args, "104") {
			t.Fatalf("the jobs are %+v", all)
		}
		t.Run("they are leafed through", func(t *testing.T) {
			two := list(app.JobFilter{Limit: 2})
			rest := list(app.JobFilter{Limit: 10, Before: two[1].ID})
			if len(two) != 2 || len(rest) != 3 || rest[0].ID >= two[1].ID {
				t.Errorf("two are %+v, and the rest %+v", two, rest)
			}
			if n := len(list(app.JobFilter{Limit: 10, Kind: "sweep"})) + len(list(app.JobFilter{Limit: 10, State: "running"})); n != 0 {
				t.Errorf("filters leave %d", n)
			}
		})
		t.Run("one that is cancelled is a deed, and can be tried again", func(t *testing.T) {
			id := all[0].ID
			ok(t, a.CancelJob(background, admin, id))
			if got := list(app.JobFilter{Limit: 10, State: "cancelled"}); len(got) != 1 || got[0].ID != id || deeds() != 1 {
				t.Errorf("cancelled are %+v, and deeds %d", got, deeds())
			}
			if code := mailing.CodeOf(a.CancelJob(background, admin, id)); code != "changed_meanwhile" {
				t.Errorf("to cancel it twice is %q", code)
			}
			ok(t, a.RetryJob(background, admin, id))
			if got := list(app.JobFilter{Limit: 10, State: "available"}); len(got) != 5 || deeds() != 2 {
				t.Errorf("%d are available again, and deeds are %d", len(got), deeds())
			}
			counts, err := a.JobCounts(background, admin)
			ok(t, err)
			if want := (store.JobCount{Kind: "fill_run", State: "available", Jobs: 5}); len(counts) != 1 || counts[0] != want {
				t.Errorf("the counts are %+v", counts)
			}
		})
		t.Run("one that is not there is no deed", func(t *testing.T) {
			if code := mailing.CodeOf(a.RetryJob(background, admin, 1<<40)); code != "not_found" || deeds() != 2 {
				t.Errorf("it is %q, and deeds are %d", code, deeds())
			}
		})
	})
}
