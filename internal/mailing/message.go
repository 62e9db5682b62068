package mailing

import "time"

// Format is the language a message's text is written in.
type Format string

// The formats.
const (
	FormatText     Format = "text"     // plain text, sent as it is
	FormatMarkdown Format = "markdown" // made into HTML and text
	FormatHTML     Format = "html"     // sent as it is, with a text part made from it
)

// Valid reports whether f is one of the formats.
func (f Format) Valid() bool { return f == FormatText || f == FormatMarkdown || f == FormatHTML }

// Message (письмо) is what a mailing says. Subject and Body may carry merge
// fields in Liquid.
type Message struct {
	ID        int64
	OwnerID   int64
	Subject   string
	Format    Format
	Body      string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Version is a message as it was when a run was opened. It never changes.
type Version struct {
	ID      int64
	Subject string
	Format  Format
	Body    string
}
