package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// random are things that people do to what is there, or not.
type random struct {
	*cachedHouse
	*rand.Rand
}

// pick is the id of something in a table, or of nothing.
func (r random) pick(table string) (id int64) {
	err := r.store.Writer().QueryRowContext(context.Background(),
		"select coalesce((select id from "+table+" order by id limit 1 offset $1), 1)", r.IntN(6)).Scan(&id)
	must(r.t, err)
	return id
}

func (r random) contact() mailing.Contact {
	return mailing.Contact{Email: fmt.Sprintf("client%d@example.com", r.IntN(10))}
}

var randomDeeds = []func(context.Context, random, mailing.Account) error{
	func(ctx context.Context, r random, who mailing.Account) error {
		_, err := r.CreateContact(ctx, who, r.contact())
		return err
	},
	func(ctx context.Context, r random, who mailing.Account) error {
		_, err := r.UpdateContact(ctx, who, r.pick("contacts"), r.contact())
		return err
	},
	func(ctx context.Context, r random, who mailing.Account) error {
		return r.DeleteContact(ctx, who, r.pick("contacts"))
	},
	func(ctx context.Context, r random, who mailing.Account) error {
		file := strings.NewReader("email\n" + r.contact().Email + "\n" + r.contact().Email + "\n")
		_, err := r.ImportContacts(ctx, who, "a.csv", file)
		return err
	},
	func(ctx context.Context, r random, who mailing.Account) error {
		_, err := r.CreateMailing(ctx, who, form(r.pick("messages")))
		return err
	},
	func(ctx context.Context, r random, who mailing.Account) error {
		_, err := r.UpdateMailing(ctx, who, r.pick("mailings"), form(r.pick("messages")))
		return err
	},
	func(ctx context.Context, r random, who mailing.Account) error {
		return r.DeleteMailing(ctx, who, r.pick("mailings"))
	},
	func(ctx context.Context, r random, who mailing.Account) error {
		return r.PauseMailing(ctx, who, r.pick("mailings"))
	},
	func(ctx context.Context, r random, who mailing.Account) error {
		return r.ResumeMailing(ctx, who, r.pick("mailings"))
	},
	func(ctx context.Context, r random, who mailing.Account) error {
		return r.DisableMailing(ctx, who, r.pick("mailings"), "why")
	},
	func(ctx context.Context, r random, who mailing.Account) error {
		return r.EnableMailing(ctx, who, r.pick("mailings"))
	},
	func(ctx context.Context, r random, who mailing.Account) error {
		_, err := r.SendNow(ctx, who, r.pick("mailings"))
		return err
	},
	func(ctx context.Context, r random, who mailing.Account) error {
		return r.CancelRun(ctx, who, r.pick("runs"))
	},
	func(ctx context.Context, r random, who mailing.Account) error {
		return r.UpdateProfile(ctx, who, app.Profile{FirstName: r.contact().Email, Lang: "ru", Zone: "UTC"})
	},
}

func TestWhateverHappensWhatIsShownIsTrue(t *testing.T) {
	h := newCachedHouse(t, timeless(t, ""))
	withMailing(t, h)
	h.App.Cache = timeless(t, "")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := random{h, rand.New(rand.NewPCG(seed, 0))}
	people := []mailing.Account{h.owner, h.other, h.boss}
	done := 0
	for step := range 400 {
		deed := r.IntN(len(randomDeeds))
		err := randomDeeds[deed](t.Context(), r, people[r.IntN(len(people))])
		if err == nil {
			done++
		} else if mailing.KindOf(err) == 0 {
			t.Fatalf("step %d, deed %d: %v", step, deed, err)
		}
		if got, truth := h.shown(t), h.truth(t); !reflect.DeepEqual(got, truth) {
			t.Fatalf("after step %d, deed %d, shown is\n%+v, want\n%+v", step, deed, got, truth)
		}
	}
	if done < 50 {
		t.Errorf("only %d deeds were done", done)
	}
}
