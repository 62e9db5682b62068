package mailing

import (
	"errors"
	"strings"
)

// Kind groups what can go wrong by who has to do something about it. The web
// pages and the command line each map it to a status in one table.
type Kind uint8

// The kinds. An error that is none of these is our own fault.
const (
	Invalid     Kind = iota + 1 // what was typed cannot be used; the person mends it
	NotFound                    // there is no such thing, or it is not theirs
	Forbidden                   // it exists, they may see it, but may not do this
	Conflict                    // it clashes with what is there
	Limited                     // too much, too often; later it may work
	Unavailable                 // something we depend on does not answer now
)

// Error is a problem that a person caused or can mend. Code is the translation
// key below "error."; Params fill the sentence.
type Error struct {
	Kind   Kind
	Code   string
	Field  string // the form field it is about; empty for the whole
	Params map[string]any
	Err    error // the cause, for the log; never shown
}

func (e *Error) Error() string {
	text := e.Code
	if e.Field != "" {
		text = e.Field + ": " + text
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// Fault makes an Error without a field. Params come in pairs of name and value.
func Fault(kind Kind, code string, params ...any) *Error {
	return FieldFault(kind, "", code, params...)
}

// FieldFault makes an Error about one form field.
func FieldFault(kind Kind, field, code string, params ...any) *Error {
	e := &Error{Kind: kind, Field: field, Code: code}
	for i := 0; i+1 < len(params); i += 2 {
		if e.Params == nil {
			e.Params = map[string]any{}
		}
		e.Params[params[i].(string)] = params[i+1]
	}
	return e
}

// Because returns a copy of e that carries the cause.
func (e *Error) Because(cause error) *Error {
	with := *e
	with.Err = cause
	return &with
}

// Problems are all the things wrong with one form, so that a person sees them
// at once and not one after the other.
type Problems []*Error

func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i, e := range p {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "; ")
}

// Add appends a problem with a field.
func (p *Problems) Add(field, code string, params ...any) {
	*p = append(*p, FieldFault(Invalid, field, code, params...))
}

// AddError takes over what a check returned: nothing for nil, the parts of
// Problems, an Error with field set where it had none. It returns what is
// neither, which is our fault and not the visitor's.
func (p *Problems) AddError(field string, err error) error {
	if err == nil {
		return nil
	}
	var several Problems
	if errors.As(err, &several) {
		*p = append(*p, several...)
		return nil
	}
	var one *Error
	if !errors.As(err, &one) {
		return err
	}
	with := *one
	if with.Field == "" {
		with.Field = field
	}
	*p = append(*p, &with)
	return nil
}

// Err returns p as an error, or nil when nothing is wrong.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// KindOf returns the kind of err, or 0 when it is our fault.
func KindOf(err error) Kind {
	var several Problems
	if errors.As(err, &several) {
		return Invalid
	}
	var one *Error
	if errors.As(err, &one) {
		return one.Kind
	}
	return 0
}

// CodeOf returns the code of err: that of an Error, of the first of Problems,
// or "" when it is our fault.
func CodeOf(err error) string {
	var several Problems
	if errors.As(err, &several) && len(several) > 0 {
		return several[0].Code
	}
	var one *Error
	if errors.As(err, &one) {
		return one.Code
	}
	return ""
}
