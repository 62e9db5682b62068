package mailing_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"vestnik/internal/mailing"
)

func TestRuleAsJSON(t *testing.T) {
	for _, tc := range []struct {
		name string
		rule mailing.Rule
		want string
	}{
		{
			"once", rule(t, mailing.Once, "2026-11-23 09:30", "Europe/Moscow"),
			`{"frequency":"once","start":"2026-11-23","at":"09:30","zone":"Europe/Moscow"}`,
		},
		{
			"weekly with everything that ends it",
			rule(t, mailing.Weekly, "2026-11-23 00:00", "UTC", every(2), on(time.Monday, time.Sunday),
				until(t, "2027-11-23"), counting(10), skipping(t, "2027-01-04")),
			`{"frequency":"weekly","interval":2,"start":"2026-11-23","at":"00:00","zone":"UTC",` +
				`"weekdays":["monday","sunday"],"until":"2027-11-23","count":10,"skip":["2027-01-04"]}`,
		},
		{
			"monthly by day", rule(t, mailing.Monthly, "2026-11-23 09:30", "UTC", onDay(31, mailing.ShortMonthSkip)),
			`{"frequency":"monthly","start":"2026-11-23","at":"09:30","zone":"UTC","monthly_by":"day","day":31,"short_month":"skip"}`,
		},
		{
			"monthly by the last Sunday", rule(t, mailing.Monthly, "2026-11-23 09:30", "UTC", onNth(mailing.NthLast, time.Sunday)),
			`{"frequency":"monthly","start":"2026-11-23","at":"09:30","zone":"UTC","monthly_by":"weekday","nth":-1,"weekday":"sunday"}`,
		},
		{"the zero rule", mailing.Rule{}, `{"frequency":"","start":"","at":"00:00","zone":""}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text, err := json.Marshal(tc.rule)
			if err != nil || string(text) != tc.want {
				t.Fatalf("written as\n%s, %v, want\n%s", text, err, tc.want)
			}
			got := rule(t, mailing.Monthly, "2000-01-01 00:01", "Asia/Tokyo", onNth(3, time.Friday), counting(5))
			if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, tc.rule) {
				t.Errorf("read back as %+v, %v, want %+v", got, err, tc.rule)
			}
		})
	}
}

func TestRuleAsJSONRefuses(t *testing.T) {
	for _, tc := range []struct{ text, code string }{
		{`{"start":"2026-02-30"}`, "date_impossible"},
		{`{"until":"tomorrow"}`, "date_unreadable"},
		{`{"skip":["2026-02-30"]}`, "date_impossible"},
		{`{"at":"25:00"}`, "clock_unreadable"},
		{`{"weekdays":["monday","Caturday"]}`, "weekday_unknown"},
		{`{"weekday":"mon"}`, "weekday_unknown"},
	} {
		var r mailing.Rule
		err := json.Unmarshal([]byte(tc.text), &r)
		if got := mailing.CodeOf(err); got != tc.code {
			t.Errorf("%s says %q (%v), want %q", tc.text, got, err, tc.code)
		}
	}
	for _, r := range []mailing.Rule{
		{Start: mailing.Date{Year: 2026, Month: 2, Day: 30}},
		{At: mailing.Clock{Minute: 60}},
		{Weekdays: []time.Weekday{7}},
		{Weekday: -1},
	} {
		if text, err := json.Marshal(r); err == nil {
			t.Errorf("%+v is written as %s", r, text)
		}
	}
}

func FuzzRuleAsJSON(f *testing.F) {
	for _, r := range []mailing.Rule{
		{},
		rule(f, mailing.Weekly, "2026-11-23 09:30", "Europe/Moscow", on(time.Monday), skipping(f, "2026-11-30"), counting(3)),
		rule(f, mailing.Monthly, "2026-11-23 02:30", "Europe/Berlin", onDay(31, "skip"), until(f, "2027-01-01")),
		rule(f, mailing.Monthly, "2026-11-23 02:30", "Pacific/Apia", every(12), onNth(-1, time.Sunday)),
	} {
		text, err := json.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("null"))
	f.Add([]byte(`{"frequency":"weekly","weekdays":[],"skip":[""],"interval":-9223372036854775808}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var r mailing.Rule
		if json.Unmarshal(text, &r) != nil {
			return
		}
		_, fires := r.Next(time.Time{})
		if err := r.Check(); (err == nil) != fires {
			t.Fatalf("Check says %v, Next says %v", err, fires)
		}
		first, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("%+v was read but cannot be written: %v", r, err)
		}
		var again mailing.Rule
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("%s cannot be read back: %v", first, err)
		}
		second, err := json.Marshal(again)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("written as %s, then as %s, %v", first, second, err)
		}
		if !reflect.DeepEqual(r.Tidy(), again.Tidy()) {
			t.Fatalf("%+v came back as %+v", r, again)
		}
	})
}
