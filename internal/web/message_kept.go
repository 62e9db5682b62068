package web

import (
	"strconv"

	"github.com/a-h/templ"

	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// sessionStored names, for the next page, what has just been stored of the editor, whose
// text the browser need not keep any more.
const sessionStored = "stored_message"

// withEditor loads the script that keeps what is typed and inserts merge fields.
func withEditor(p ui.Page) ui.Page {
	p.Scripts = append(p.Scripts, "message.js")
	return p
}

// keptName is under which name the browser keeps what a person has typed of a message;
// message 0 is the new one.
func keptName(actor mailing.Account, message int64) string {
	return strconv.FormatInt(actor.ID, 10) + "." + strconv.FormatInt(message, 10)
}

// keeps are the attributes of the editor's form. In an answer stands what was typed, which
// is not what is stored.
func (f editorForm) keeps() templ.Attributes {
	attributes := templ.Attributes{"data-kept": f.kept}
	if f.answer {
		attributes["data-kept-answer"] = true
	}
	return attributes
}
