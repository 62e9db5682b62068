package web

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// mailingForm is a mailing as it was typed. As JSON it is what a draft keeps.
type mailingForm struct {
	Audience          string
	Chosen            []int64 `json:",omitempty"` // ids of the contacts that are ticked
	Search            string  `json:"-"`          // among the contacts to choose from
	MessageSearch     string  `json:"-"`
	Message           string
	Rule              ruleForm
	Doubt, Weight     string
	FromName, ReplyTo string
}

// oftenNow is the choice, in place of a frequency, to send as soon as it is made.
const oftenNow = "now"

// firstForm is what a new mailing begins with. It is from whoever writes it, and answers
// go to them: else both would be those of whoever has set up the mail server.
func (r *request) firstForm() mailingForm {
	return mailingForm{
		Audience: string(mailing.AudienceAll), Rule: r.firstRule(),
		Doubt: string(mailing.NeverTwice), Weight: string(mailing.WeightNormal),
		FromName: strings.TrimSpace(r.actor.FirstName + " " + r.actor.LastName), ReplyTo: r.actor.Email,
	}
}

// storedForm is the form of a mailing that is there.
func (r *request) storedForm(m mailing.Mailing, chosen []int64) mailingForm {
	return mailingForm{
		Audience: string(m.Audience), Chosen: chosen, Message: strconv.FormatInt(m.MessageID, 10),
		Rule: r.storedRule(m.Rule), Doubt: string(m.Doubt), Weight: string(m.Weight), FromName: m.FromName, ReplyTo: m.ReplyTo,
	}
}

// typedMailing is the form as the visitor has sent it; chosen are the contacts that were
// chosen before.
func (r *request) typedMailing(chosen []int64) mailingForm {
	return mailingForm{
		Audience: r.field("audience"), Chosen: r.typedContacts(chosen), Search: r.field("search"),
		MessageSearch: r.field("message_search"), Message: r.field("message"), Rule: r.typedRule(),
		Doubt: r.field("doubt"), Weight: r.field("weight"), FromName: r.field("from_name"), ReplyTo: r.field("reply_to"),
	}
}

// draftForm reads a draft. One that cannot be read, of an older version of the pages
// perhaps, is as good as none.
func draftForm(d mailing.Draft) (f mailingForm, ok bool) {
	if d.MailingID == 0 {
		return f, false
	}
	return f, json.Unmarshal([]byte(d.Form), &f) == nil
}

// kept is the form as a draft keeps it.
func (f mailingForm) kept() []byte {
	text, err := json.Marshal(f)
	if err != nil {
		panic("web: a form of texts and numbers: " + err.Error())
	}
	return text
}

func (f mailingForm) equals(other mailingForm) bool { return bytes.Equal(f.kept(), other.kept()) }

// says reports whether both forms make the same mailing of the same choices. Fields that
// a schedule has no use for may differ.
func (f mailingForm) says(other mailingForm) bool {
	one, unreadable := f.values()
	two, err := other.values()
	return unreadable == nil && err == nil && reflect.DeepEqual(one, two) && slices.Equal(f.Chosen, other.Chosen)
}

// messageID is 0 when none is chosen, which is refused.
func (f mailingForm) messageID() int64 {
	id, err := strconv.ParseInt(f.Message, 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// values are the form as app takes it. A schedule that cannot be read goes along as the
// zero Rule, which is always refused; the error says what is wrong with it.
func (f mailingForm) values() (app.MailingForm, error) {
	form := app.MailingForm{
		MessageID: f.messageID(), Audience: mailing.Audience(f.Audience), ContactIDs: f.contactIDs(),
		Doubt: mailing.Doubt(f.Doubt), Weight: mailing.Weight(f.Weight), FromName: f.FromName, ReplyTo: f.ReplyTo,
	}
	if f.Rule.Frequency == oftenNow {
		form.Now, form.Rule.Zone = true, f.Rule.Zone
		return form, nil
	}
	rule, err := f.Rule.rule()
	if err == nil {
		form.Rule = rule
	}
	return form, err
}

// contactIDs are the contacts to store: of a mailing to all, what was chosen
// earlier stays as it is.
func (f mailingForm) contactIDs() []int64 {
	if f.Audience != string(mailing.AudienceChosen) {
		return nil
	}
	return append([]int64{}, f.Chosen...)
}
