package server_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"vestnik/internal/cache/cachetest"
	"vestnik/internal/smtpsink"
)

func TestRedisStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	t.Run("Redis is killed and comes back, and nobody who works meanwhile sees anything of it", func(t *testing.T) {
		r := cachetest.Start(t)
		a := adminStory{held: make(chan struct{})}
		release := sync.OnceFunc(func() { close(a.held) })
		c := storySettings(t, "CACHE_LOCATION="+r.Location())
		a.mailing = storySuperuser(t, c)
		a.sink = newSink(t, smtpsink.Options{Username: storyRelayUser, Password: storyRelayPassword, Answer: a.hold})
		a.storyVisitor = newStoryVisitor(t, storyService(t, c), "ru")
		t.Cleanup(release)
		a.activate()
		a.counts(2)
		if storyKeys(t, r) == 0 {
			t.Error("nothing is kept in Redis")
		}
		a.connect()
		a.watch(func() { // while the page of the run is live
			r.Kill()
			release()
		})
		a.addClient("boris@example.org", 3)
		a.administer("/admin/users")
		a.sees(storyAdmin)
		a.open("/admin/health")
		a.sees(a.T("health.cache"), "Redis не отвечает")
		a.look("health-away")
		r.Restart()
		await(t, storyPatience, "Redis is in use again", func() bool {
			a.administer("/admin/users")
			return storyKeys(t, r) > 0
		})
		a.open("/admin/health")
		a.sees("Redis отвечает за")
		a.look("health-back")
		a.addClient("gleb@example.org", 4)
		a.sendAgain(4)
	})
}

// storyKeys is how much Redis holds of what was shown.
func storyKeys(t *testing.T, r *cachetest.Redis) int {
	t.Helper()
	o, err := redis.ParseURL(r.Location())
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(o)
	defer client.Close()
	keys, err := client.Keys(t.Context(), "vestnik:*:value:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	return len(keys)
}

// counts sees on the home page how many clients there are.
func (a *adminStory) counts(clients int) {
	a.t.Helper()
	a.turnTo("/")
	a.sees(a.T("home.clients"))
	a.holds(fmt.Sprintf("there are %d clients", clients), fmt.Sprintf(
		`[...document.querySelectorAll(".stat")].some(s => s.innerText.includes(%s) && s.querySelector(".stat-value").innerText.trim() === "%d")`,
		storyJS(a.T("home.clients")), clients))
}

// addClient adds one, after which there are so many.
func (a *adminStory) addClient(email string, clients int) {
	a.t.Helper()
	a.open("/clients/new")
	a.fill("email", email)
	a.press(a.T("action.save"))
	a.sees(email)
	a.counts(clients)
}

// sendAgain waits until the mailing may be sent by hand once more, and follows the run
// to its end.
func (a *adminStory) sendAgain(clients int64) {
	a.t.Helper()
	<-time.After(time.Minute + time.Second) // as a double click is refused
	before := a.sink.Count()
	a.open(fmt.Sprintf("/mailings/%d/send", a.mailing.ID))
	a.press(a.N("mailings.send_now", clients))
	a.sees(a.T("undo.goes"))
	a.runOver()
	if n := a.sink.Count() - before; n != int(clients) {
		a.t.Errorf("%d mails were sent, want %d: %s", n, clients, strings.Join(a.sink.Violations(), "; "))
	}
}
