package mailing

import (
	"strings"
	"testing"
	"time"
)

func TestSlug(t *testing.T) {
	for title, want := range map[string]string{
		"Новый урожай чая":           "novyy-urozhay-chaya",
		"Щука, ёжик & подъезд — №5!": "shchuka-ezhik-podezd-no5",
		"Cafe\u0301 à la carte":      "cafe-a-la-carte",
		"Straße, Łódź":               "strasse-lodz",
		"What's new in 2026?":        "whats-new-in-2026",
		"  ---  ":                    "post",
		"日本語":                        "post",
		"🎉":                          "post",
		"Їжак і ґанок":               "yizhak-i-ganok",
		"../../etc/passwd":           "etc-passwd",
	} {
		t.Run(title+" is "+want, func(t *testing.T) {
			if got := Slug(title); got != want {
				t.Errorf("got %q", got)
			}
		})
	}
	t.Run("a long title ends behind a word", func(t *testing.T) {
		got := Slug(strings.Repeat("слово ", 50))
		if len(got) > maxSlug || !strings.HasSuffix(got, "-slovo") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a long word is cut", func(t *testing.T) {
		if got := Slug(strings.Repeat("ф", 500)); len(got) != maxSlug {
			t.Errorf("it has %d letters", len(got))
		}
	})
}

func TestPost(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		at   time.Time
		want PostState
	}{{time.Time{}, PostDraft}, {now.Add(time.Millisecond), PostScheduled}, {now, PostPublished}, {now.AddDate(-1, 0, 0), PostPublished}} {
		if got := (Post{PublishedAt: c.at}).State(now); got != c.want {
			t.Errorf("published at %v it is %s, want %s", c.at, got, c.want)
		}
	}
	if err := (Post{Title: "Чай", Body: "Вода"}).Check(); err != nil {
		t.Error(err)
	}
	err := Post{Title: strings.Repeat("я", MaxPostTitle+1), Body: " \n"}.Check()
	if got := err.Error(); got != "title: text_too_long; body: required" {
		t.Errorf("got %q", got)
	}
}
