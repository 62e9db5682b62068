// Package liquid compiles and renders merge fields: a subset of the Liquid
// template language, safe to give to strangers.
//
// There is output ({{ path | filter: argument }}), if / elsif / else / unless,
// case / when, for (over lists and ranges, with limit, offset and reversed),
// assign, comment, raw, and white space control ({%- and -%}). There are no
// includes, no files and no network, and values are plain data: Go methods and
// struct fields cannot be reached from a template.
//
// A template is compiled once for the place it will stand in (Context), which
// decides how every value is escaped, and can then be rendered by many
// goroutines at once. Rendering hands static texts to the Sink by number, so
// that a caller can encode them in advance.
//
// Every template ends: the source, the nesting, the steps and the bytes are
// limited (MaxSource, MaxDepth, MaxSteps, MaxBytes). Whatever is wrong with a
// template is a *mailing.Error of kind Invalid with the parameter "line".
package liquid

import "vestnik/internal/mailing"

// The limits of one template. All four are chosen: ten times what a large
// newsletter needs, and still well below a second of work.
const (
	MaxSource = 1 << 20 // bytes of source
	MaxDepth  = 32      // blocks within blocks
	MaxSteps  = 100_000 // nodes, iterations, filters and conditions in one rendering
	MaxBytes  = 8 << 20 // bytes written or worked on in one rendering
)

// Context is the place a template's output will stand in.
type Context uint8

// The places. Plain passes values on as they are, without control characters.
// HTML escapes them for the element, attribute or URL that they stand in.
// Header keeps them on one line.
const (
	Plain Context = iota
	HTML
	Header
)

// Options say how to compile. Lang names the language of months and days in
// dates, "ru" or "en"; anything else is English.
type Options struct {
	Context Context
	Lang    string
}

// fault makes the error that all faults of templates are.
func fault(code string, line int, params ...any) *mailing.Error {
	return mailing.Fault(mailing.Invalid, code, append([]any{"line", line}, params...)...)
}
