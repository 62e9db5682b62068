package mailing

import (
	"errors"
	"fmt"
	"maps"
	"testing"
)

func TestErrors(t *testing.T) {
	cause := errors.New("disk full")
	wrapped := func(err error) error { return fmt.Errorf("store: %w", err) }
	cases := []struct {
		name string
		err  error
		kind Kind
		code string
		text string
	}{
		{"nothing", nil, 0, "", ""},
		{"a fault of ours", cause, 0, "", "disk full"},
		{"a fault", Fault(Conflict, "run_open"), Conflict, "run_open", "run_open"},
		{"a wrapped fault", wrapped(Fault(NotFound, "not_found")), NotFound, "not_found", "store: not_found"},
		{"a fault of a field", FieldFault(Invalid, "email", "email_empty"), Invalid, "email_empty", "email: email_empty"},
		{"a fault with a cause", Fault(Unavailable, "smtp_no_answer").Because(cause), Unavailable, "smtp_no_answer", "smtp_no_answer: disk full"},
		{
			"several problems", wrapped(Problems{FieldFault(Invalid, "a", "first"), FieldFault(Limited, "b", "second")}),
			Invalid, "first", "store: a: first; b: second",
		},
	}
	for _, c := range cases {
		t.Run(c.name+" has its kind, code and text", func(t *testing.T) {
			if KindOf(c.err) != c.kind || CodeOf(c.err) != c.code || c.err != nil && c.err.Error() != c.text {
				t.Errorf("%d, %q, %v", KindOf(c.err), CodeOf(c.err), c.err)
			}
		})
	}
	t.Run("a cause is found, and the fault it was added to is unchanged", func(t *testing.T) {
		plain := Fault(Unavailable, "smtp_no_answer")
		if with := plain.Because(cause); !errors.Is(with, cause) || plain.Err != nil {
			t.Errorf("%v, %v", with, plain)
		}
	})
	t.Run("params are pairs of name and value", func(t *testing.T) {
		e := Fault(Invalid, "x", "min", 1, "max", "two", "odd")
		if !maps.Equal(e.Params, map[string]any{"min": 1, "max": "two"}) {
			t.Errorf("got %v", e.Params)
		}
		if Fault(Invalid, "x").Params != nil {
			t.Error("without any there is a map")
		}
	})
}

func TestProblems(t *testing.T) {
	t.Run("none are no error", func(t *testing.T) {
		var none Problems
		if err := none.Err(); err != nil {
			t.Errorf("got %v", err)
		}
	})
	t.Run("they gather what checks return", func(t *testing.T) {
		var p Problems
		p.Add("name", "required")
		for field, err := range map[string]error{
			"nothing": nil,
			"email":   fmt.Errorf("wrapped: %w", Fault(Invalid, "email_empty")),
			"other":   Problems{FieldFault(Invalid, "start", "date_missing")},
		} {
			if err := p.AddError(field, err); err != nil {
				t.Errorf("%s: %v", field, err)
			}
		}
		codes := map[string]string{}
		for _, e := range p {
			codes[e.Field] = e.Code
		}
		if !maps.Equal(codes, map[string]string{"name": "required", "email": "email_empty", "start": "date_missing"}) {
			t.Errorf("got %v", p.Err())
		}
	})
	t.Run("a field that is set stays, and the fault given is unchanged", func(t *testing.T) {
		var p Problems
		own, plain := FieldFault(Invalid, "zone", "zone_unknown"), Fault(Invalid, "x")
		if err := errors.Join(p.AddError("rule", own), p.AddError("rule", plain)); err != nil {
			t.Fatal(err)
		}
		if p[0].Field != "zone" || p[1].Field != "rule" || plain.Field != "" {
			t.Errorf("got %v; the fault is now %v", p, plain)
		}
	})
	t.Run("what is our fault is handed back", func(t *testing.T) {
		var p Problems
		if cause := errors.New("disk full"); p.AddError("x", cause) != cause || len(p) != 0 {
			t.Errorf("got %v", p)
		}
	})
}
