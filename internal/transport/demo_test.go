package transport

import (
	"context"
	"errors"
	"testing"

	"vestnik/internal/mailing"
)

func TestTheDemoMailboxAnswersByAddress(t *testing.T) {
	t.Parallel()
	var kept []DemoMail
	demo := NewDemo(func(_ context.Context, m DemoMail) error { kept = append(kept, m); return nil })
	tests := []struct {
		to    string
		stage Stage
		reply string
	}{
		{"anna@mail.test", StageDot, "250 2.0.0"},
		{"anna+bounce@mail.test", StageRcpt, "550 5.1.1"},
		{"anna+full@mail.test", StageRcpt, "452 4.2.2"},
		{"anna+full@mail.test", StageRcpt, "452 4.2.2"},
		{"anna+defer@mail.test", StageRcpt, "451 4.3.0"},
		{"Otto+Defer@mail.test", StageRcpt, "451 4.3.0"},
		{"anna+defer@mail.test", StageDot, "250 2.0.0"},
		{"anna+defer@mail.test", StageRcpt, "451 4.3.0"},
		{"anna@full+bounce.test", StageDot, "250 2.0.0"},
		{"nobody", StageRcpt, "553 5.1.3"},
	}
	accepted := 0
	for _, test := range tests {
		asked := 0
		result, err := sendBy(demo)(t.Context(), Envelope{From: mail.From, To: test.to}, message, func() error { asked++; return nil })
		got := mailing.Reply{Code: result.Reply.Code, Enhanced: result.Reply.Enhanced}.String()
		if err != nil || got != test.reply || result.Stage != test.stage || result.Host != "demo" || result.InDoubt {
			t.Errorf("%s: got %+v, %v", test.to, result, err)
		}
		if result.Reply.Accepted() {
			accepted++
		}
		if (asked == 1) != result.Reply.Accepted() {
			t.Errorf("%s: beforeDot was called %d times", test.to, asked)
		}
	}
	if len(kept) != accepted || kept[0].To != "anna@mail.test" || string(kept[0].Data) != string(message) || kept[0].At.IsZero() {
		t.Errorf("kept %+v", kept)
	}
}

func TestTheDemoMailboxCanFail(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	demo := NewDemo(func(context.Context, DemoMail) error { return full })
	result, err := sendBy(demo)(t.Context(), mail, message, nil)
	if !errors.Is(err, full) || result.Stage != StageDot || result.Reply.Code != 0 || result.InDoubt {
		t.Errorf("put: %+v, %v", result, err)
	}
	stop := errors.New("unsubscribed")
	result, err = sendBy(demo)(t.Context(), mail, message, func() error { return stop })
	if !errors.Is(err, stop) || result.Stage != StageData {
		t.Errorf("beforeDot: %+v, %v", result, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sendBy(demo)(ctx, mail, message, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestTheDemoMailboxForgetsRatherThanGrows(t *testing.T) {
	t.Parallel()
	demo := NewDemo(nil)
	for i := range maxDeferred + 1 {
		demo.isOddTry(string(rune('a'+i%26)) + string(rune(i)) + "+defer@mail.test")
	}
	if n := len(demo.deferred); n > maxDeferred {
		t.Errorf("remembers %d", n)
	}
}
