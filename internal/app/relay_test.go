package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func relay() app.RelaySettings {
	return app.RelaySettings{
		Kind: app.RelaySMTP, Name: "Почта", Host: "smtp.example.org", Port: 587, TLS: "starttls-required", Username: "herald",
		Password: "тайна", FromName: "Вестник", FromEmail: "herald@example.org", Weight: 10, Enabled: true,
	}
}

func direct() app.RelaySettings {
	return app.RelaySettings{
		Kind: app.RelayMX, HeloName: "mail.example.org", FromEmail: "herald@example.org", Weight: 5, PerHour: 500, Enabled: true,
	}
}

// withRelay makes a house with an admin and a relay that is set up.
func withRelay(t *testing.T) (h *house, admin mailing.Account, id int64) {
	t.Helper()
	h = newHouse(t)
	admin = h.person(t, "admin@example.org", mailing.RoleAdmin)
	return h, admin, h.addRelay(t, relay())
}

func (h *house) addRelay(t *testing.T, r app.RelaySettings) int64 {
	t.Helper()
	h.later(time.Second) // they are listed by age
	id, err := h.CreateRelay(t.Context(), app.Operator, r)
	must(t, err)
	return id
}

func (h *house) inUse(t *testing.T) []app.RelaySettings {
	t.Helper()
	relays, err := h.RelaysInUse(t.Context())
	must(t, err)
	return relays
}

func TestWhoMayManageRelays(t *testing.T) {
	for name, do := range map[string]func(h *house, who mailing.Account, id int64) error{
		"list them": func(h *house, who mailing.Account, _ int64) error {
			_, err := h.Relays(t.Context(), who)
			return err
		},
		"see one": func(h *house, who mailing.Account, id int64) error {
			_, err := h.Relay(t.Context(), who, id)
			return err
		},
		"add one": func(h *house, who mailing.Account, _ int64) error {
			_, err := h.CreateRelay(t.Context(), who, direct())
			return err
		},
		"change one": func(h *house, who mailing.Account, id int64) error {
			r := relay()
			r.ID = id
			return h.UpdateRelay(t.Context(), who, r)
		},
		"delete one": func(h *house, who mailing.Account, id int64) error { return h.DeleteRelay(t.Context(), who, id) },
		"resume one": func(h *house, who mailing.Account, id int64) error { return h.ResumeRelay(t.Context(), who, id) },
		"test one": func(h *house, who mailing.Account, id int64) error {
			r := relay()
			r.ID = id
			return h.TestRelay(t.Context(), who, r, nil)
		},
	} {
		for role, answer := range map[mailing.Role]string{
			mailing.RoleUser: "not_found", mailing.RoleManager: "not_found", mailing.RoleAdmin: "ok",
		} {
			t.Run(string(role)+" wants to "+name+": "+answer, func(t *testing.T) {
				h, _, id := withRelay(t)
				want(t, do(h, h.person(t, "who@example.org", role), id), answer)
				if name != "list them" && name != "add one" {
					want(t, do(h, app.Operator, 1), "not_found")
				}
			})
		}
	}
}

func TestRelays(t *testing.T) {
	t.Run("the password is stored sealed, shown to nobody and used for sending", func(t *testing.T) {
		h, admin, id := withRelay(t)
		used := relay()
		used.ID = id
		if got := h.inUse(t); len(got) != 1 || got[0] != used {
			t.Errorf("in use are %+v", got)
		}
		shown, err := h.Relay(t.Context(), admin, id)
		list, listErr := h.Relays(t.Context(), admin)
		if used.Password = ""; shown != used || err != nil || listErr != nil || len(list) != 1 || list[0] != used {
			t.Errorf("shown are %+v, %v and %+v, %v", shown, err, list, listErr)
		}
		row, err := h.store.Relay(t.Context(), id)
		if err != nil || row.PasswordSealed == "" || strings.Contains(row.PasswordSealed, "тайна") {
			t.Errorf("stored as %q, %v", row.PasswordSealed, err)
		}
	})
	t.Run("those that are switched off are not used", func(t *testing.T) {
		h, _, id := withRelay(t)
		off := direct()
		off.Enabled = false
		h.addRelay(t, off)
		if got := h.inUse(t); len(got) != 1 || got[0].ID != id {
			t.Errorf("in use are %+v", got)
		}
	})
	t.Run("the last one in use cannot be switched off, but be deleted", func(t *testing.T) {
		h, admin, id := withRelay(t)
		off := relay()
		off.ID, off.Enabled = id, false
		want(t, h.UpdateRelay(t.Context(), admin, off), "relay_last")
		other := h.addRelay(t, direct())
		want(t, h.UpdateRelay(t.Context(), admin, off), "ok")
		want(t, h.UpdateRelay(t.Context(), admin, off), "ok") // it is off already
		must(t, h.DeleteRelay(t.Context(), admin, other))
		want(t, h.DeleteRelay(t.Context(), admin, other), "not_found")
		if got := h.inUse(t); len(got) != 0 {
			t.Errorf("in use are %+v", got)
		}
	})
	t.Run("one that sends directly has no server, and needs a name to greet with", func(t *testing.T) {
		h := newHouse(t)
		r := direct()
		r.Host, r.Port, r.TLS, r.Username, r.Password = "smtp.example.org", 25, "none", "x", "y"
		r.HeloName = " Почта.РФ "
		h.addRelay(t, r)
		got := h.inUse(t)[0]
		if got.Host+got.TLS+got.Username+got.Password != "" || got.Port != 0 || got.HeloName != "xn--80a1acny.xn--p1ai" || got.Name != got.HeloName {
			t.Errorf("it is %+v", got)
		}
		r.HeloName = " "
		_, err := h.CreateRelay(t.Context(), app.Operator, r)
		if fields(err) != "helo_name:required" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("without a name it is called as its server, and a name is there once", func(t *testing.T) {
		h, _, _ := withRelay(t)
		r := relay()
		r.Name = " "
		h.addRelay(t, r)
		if got := h.inUse(t)[1].Name; got != "smtp.example.org" {
			t.Errorf("it is called %q", got)
		}
		_, err := h.CreateRelay(t.Context(), app.Operator, r)
		want(t, err, "relay_name_taken")
	})
	t.Run("all that is wrong is said at once", func(t *testing.T) {
		h := newHouse(t)
		_, err := h.CreateRelay(t.Context(), app.Operator, app.RelaySettings{
			Kind: app.RelaySMTP, Name: strings.Repeat("x", 101), Port: 70000, TLS: "maybe", FromName: strings.Repeat("x", 101), FromEmail: "x",
			HeloName: "a b", Weight: 101, Connections: 1001, Messages: -1, PerSecond: -1, PerHour: -1, PerDay: -1,
		})
		if got := fields(err); got != "connections:number_out_of_range from_email:email_malformed from_name:text_too_long "+
			"helo_name:domain_malformed host:required messages:number_out_of_range name:text_too_long per_day:number_out_of_range "+
			"per_hour:number_out_of_range per_second:number_out_of_range port:port_malformed tls:choice_unknown weight:number_out_of_range" {
			t.Errorf("got %s", got)
		}
		_, err = h.CreateRelay(t.Context(), app.Operator, app.RelaySettings{FromEmail: "a@example.org", HeloName: "a.example", Weight: 1})
		want(t, err, "choice_unknown")
	})
	t.Run("a user name without a password is refused, but not a server that asks for neither", func(t *testing.T) {
		h := newHouse(t)
		r := relay()
		r.Password = ""
		_, err := h.CreateRelay(t.Context(), app.Operator, r)
		if got := fields(err); got != "password:relay_password_missing" {
			t.Errorf("got %s", got)
		}
		r.Username = ""
		h.addRelay(t, r)
	})
	t.Run("one that is stored without its password is not saved so again", func(t *testing.T) {
		h, admin, id := withRelay(t)
		row, err := h.store.Relay(t.Context(), id)
		must(t, err)
		row.PasswordSealed = ""
		must(t, h.store.UpdateRelay(t.Context(), row))
		r := relay()
		r.ID, r.Password = id, ""
		want(t, h.UpdateRelay(t.Context(), admin, r), "relay_password_missing")
	})
	t.Run("what is pasted along with the server's name is left out, or told", func(t *testing.T) {
		for typed, want := range map[string]string{
			"https://smtp.example.org/": "smtp.example.org", "smtp://smtp.example.org:587": "smtp.example.org", " smtp.example.org ": "smtp.example.org",
			"smtp.example.org:587": "smtp.example.org", "192.0.2.7": "192.0.2.7", "::1": "::1", "[::1]:587": "::1", "почта.рф": "почта.рф",
			"smtp.example.org:465": "", "smtp example.org": "", "me@example.org": "", "smtp.example.org/mail": "",
		} {
			h := newHouse(t)
			r := relay()
			r.Host = typed
			_, err := h.CreateRelay(t.Context(), app.Operator, r)
			if want == "" {
				if got := fields(err); got != "host:relay_host_malformed" {
					t.Errorf("%q: %s", typed, got)
				}
			} else if got := h.inUse(t)[0].Host; err != nil || got != want {
				t.Errorf("%q became %q, %v", typed, got, err)
			}
		}
	})
	t.Run("runs that were halted go on when one is added", func(t *testing.T) {
		h, _, has := furnished(t)
		must(t, h.store.HaltRun(t.Context(), has.run, "535 5.7.8 no"))
		h.addRelay(t, relay())
		if run, err := h.store.Run(t.Context(), has.run); err != nil || run.Halt != "" {
			t.Errorf("the run is halted by %q, %v", run.Halt, err)
		}
	})
}

func TestTheStoredPassword(t *testing.T) {
	for name, change := range map[string]func(*app.RelaySettings){
		"another host": func(r *app.RelaySettings) { r.Host = "evil.example.org" },
		"another port": func(r *app.RelaySettings) { r.Port = 2525 },
		"another user": func(r *app.RelaySettings) { r.Username = "root" },
		"another way":  func(r *app.RelaySettings) { r.ID = 0 },
		"a plain line": func(r *app.RelaySettings) { r.TLS = "none" },
	} {
		t.Run("it does not go to "+name, func(t *testing.T) {
			h, admin, id := withRelay(t)
			r := relay()
			r.ID, r.Password = id, ""
			must(t, h.TestRelay(t.Context(), admin, r, nil))
			change(&r)
			err := h.TestRelay(t.Context(), admin, r, nil)
			if got := mailing.CodeOf(err) + fields(err); !strings.Contains(got, "relay_password_") || len(h.tried) != 1 || h.tried[0].Password != "тайна" {
				t.Errorf("got %q, tried %+v", got, h.tried)
			}
			if r.ID == 0 {
				return
			}
			want(t, h.UpdateRelay(t.Context(), admin, r), "relay_password_again")
			if got := h.inUse(t)[0]; got.Password != "тайна" || got.Host != "smtp.example.org" {
				t.Errorf("in use is %+v", got)
			}
		})
	}
	t.Run("with another secret key its relay can be seen and given a new one, and the others are used", func(t *testing.T) {
		h, admin, id := withRelay(t)
		row, err := h.store.Relay(t.Context(), id)
		must(t, err)
		row.PasswordSealed = "v1:" + strings.Repeat("A", 60)
		must(t, h.store.UpdateRelay(t.Context(), row))
		other := h.addRelay(t, direct())
		_, err = h.Relay(t.Context(), admin, id)
		must(t, err)
		used, err := h.RelaysInUse(t.Context())
		if len(used) != 1 || used[0].ID != other || err == nil || !strings.Contains(err.Error(), "Почта") {
			t.Errorf("in use are %+v, %v", used, err)
		}
		r := relay()
		r.ID, r.Password = id, ""
		want(t, h.UpdateRelay(t.Context(), admin, r), "relay_password_unreadable")
		r.Password = "новая"
		must(t, h.UpdateRelay(t.Context(), admin, r))
		if got := h.inUse(t); len(got) != 2 || got[0].Password != "новая" {
			t.Errorf("in use are %+v", got)
		}
	})
}

func TestStopRelay(t *testing.T) {
	stopped := func(t *testing.T) (*house, mailing.Account, int64) {
		t.Helper()
		h, admin, id := withRelay(t)
		must(t, h.SetLang(t.Context(), h.person(t, "second@example.org", mailing.RoleAdmin), "en"))
		h.person(t, "manager@example.org", mailing.RoleManager)
		must(t, h.StopRelay(t.Context(), id, "535 5.7.8\nno"))
		return h, admin, id
	}
	t.Run("the first time every admin is told by mail", func(t *testing.T) {
		h, _, id := stopped(t)
		for _, why := range []string{"535 5.7.8 no", "535 never"} {
			must(t, h.StopRelay(t.Context(), id, why))
		}
		mails := h.mails(t)
		slices.SortFunc(mails, func(a, b mail) int { return strings.Compare(a.to, b.to) })
		if len(mails) != 2 || mails[0].to != "admin@example.org" || mails[1].to != "second@example.org" {
			t.Fatalf("mailed are %+v", mails)
		}
		if !strings.Contains(mails[0].subject, "не принимает наш пароль") || !strings.Contains(mails[1].subject, "refuses our password") {
			t.Errorf("the subjects are %q and %q", mails[0].subject, mails[1].subject)
		}
		if v := mails[0].vars; v["relay"] != "Почта" || v["why"] != "535 5.7.8 no" || v["link"] != "https://mail.example.org/relays" {
			t.Errorf("the fields are %v", v)
		}
	})
	t.Run("it is still there for those who send, with the reason", func(t *testing.T) {
		h, _, id := stopped(t)
		if got := h.inUse(t); len(got) != 1 || got[0].ID != id || got[0].Trouble != "535 5.7.8 no" || !got[0].TroubleAt.Equal(h.now) || !got[0].Stopped() {
			t.Errorf("in use are %+v", got)
		}
	})
	t.Run("the alarm is for those who may do something about it", func(t *testing.T) {
		h, admin, id := stopped(t)
		h.addRelay(t, direct())
		list, err := h.StoppedRelays(t.Context(), admin)
		if err != nil || len(list) != 1 || list[0].ID != id {
			t.Errorf("an admin sees %+v, %v", list, err)
		}
		list, err = h.StoppedRelays(t.Context(), h.person(t, "boss@example.org", mailing.RoleManager))
		if err != nil || len(list) != 0 {
			t.Errorf("a manager sees %+v, %v", list, err)
		}
	})
	for name, mend := range map[string]func(h *house, id int64) error{
		"resumed": func(h *house, id int64) error { return h.ResumeRelay(t.Context(), app.Operator, id) },
		"changed": func(h *house, id int64) error {
			r := relay()
			r.ID = id
			return h.UpdateRelay(t.Context(), app.Operator, r)
		},
	} {
		t.Run("it is over when it is "+name+", halted runs go on, and the next time is told again", func(t *testing.T) {
			h, owner, id := stopped(t)
			m := storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: owner.ID})
			run := storetest.Run(t, h.store, m)
			must(t, h.store.HaltRun(t.Context(), run.ID, "535 5.7.8 no"))
			must(t, mend(h, id))
			if got := h.inUse(t)[0]; got.Trouble != "" || !got.TroubleAt.IsZero() {
				t.Errorf("it is %+v", got)
			}
			if run, err := h.store.Run(t.Context(), run.ID); err != nil || run.Halt != "" {
				t.Errorf("the run is halted by %q, %v", run.Halt, err)
			}
			h.later(time.Hour)
			must(t, h.StopRelay(t.Context(), id, ""))
			if got := h.inUse(t)[0]; got.Trouble == "" || len(h.mails(t)) != 4 {
				t.Errorf("it is %+v, and there are %d mails", got, len(h.mails(t)))
			}
		})
	}
	t.Run("one that was deleted meanwhile is nobody's trouble", func(t *testing.T) {
		h, _, _ := withRelay(t)
		must(t, h.StopRelay(t.Context(), 1, "535 no"))
		if n := len(h.mails(t)); n != 0 {
			t.Errorf("%d mails", n)
		}
	})
}

func TestRefusedRelays(t *testing.T) {
	h, admin, _ := withRelay(t)
	way := h.addRelay(t, direct())
	off := direct()
	off.Name, off.Enabled = "off", false
	unused := h.addRelay(t, off)
	trouble := func(relay int64, site string) app.SiteTrouble {
		return app.SiteTrouble{RelayID: relay, Node: "n", Site: site, Name: site, Why: "550 5.7.1 no", Since: h.now, Until: h.now.Add(time.Hour)}
	}
	for _, one := range []app.SiteTrouble{trouble(way, "two"), trouble(way, "one"), trouble(unused, "one"), trouble(1, "one")} {
		must(t, h.store.PutSiteTrouble(t.Context(), one))
	}
	t.Run("are those in use, with the sites, for those who may do something about it", func(t *testing.T) {
		list, err := h.RefusedRelays(t.Context(), admin)
		if err != nil || len(list) != 1 || list[0].ID != way || len(list[0].Sites) != 2 || list[0].Sites[0].Site != "one" {
			t.Errorf("an admin sees %+v, %v", list, err)
		}
		list, err = h.RefusedRelays(t.Context(), h.person(t, "boss@example.org", mailing.RoleManager))
		if err != nil || len(list) != 0 {
			t.Errorf("a manager sees %+v, %v", list, err)
		}
	})
	t.Run("are in use all the same", func(t *testing.T) {
		for _, r := range h.inUse(t) {
			if r.Stopped() {
				t.Errorf("%s is stopped", r.Name)
			}
		}
	})
}

func TestTheLifeOfARelay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := over(s)
		h.person(t, "admin@example.org", mailing.RoleAdmin)
		first, second := h.addRelay(t, relay()), h.addRelay(t, direct())
		_, err := h.CreateRelay(t.Context(), app.Operator, relay())
		want(t, err, "relay_name_taken")
		must(t, h.StopRelay(t.Context(), first, "535 5.7.8 no"))
		must(t, h.StopRelay(t.Context(), first, "535 5.7.8 no"))
		if n := len(h.mails(t)); n != 1 {
			t.Errorf("%d mails tell of it", n)
		}
		if got := h.inUse(t); len(got) != 2 || !got[0].Stopped() || got[0].Password != "тайна" || got[1].Stopped() {
			t.Errorf("in use are %+v", got)
		}
		must(t, h.ResumeRelay(t.Context(), app.Operator, first))
		off := relay()
		off.ID, off.Password, off.Enabled, off.PerDay = first, "", false, 100
		must(t, h.UpdateRelay(t.Context(), app.Operator, off))
		if got := h.inUse(t); len(got) != 1 || got[0].ID != second || got[0].PerHour != 500 {
			t.Errorf("in use are %+v", got)
		}
		if got, err := h.Relay(t.Context(), app.Operator, first); err != nil || got != off {
			t.Errorf("it is %+v, %v", got, err)
		}
		must(t, h.DeleteRelay(t.Context(), app.Operator, second))
		if got := h.inUse(t); len(got) != 0 {
			t.Errorf("in use are %+v", got)
		}
	})
}
