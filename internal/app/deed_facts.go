package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// changes leaves of what is known of a thing, before and after a deed, what the deed
// changed. A field that one of them does not know is empty there.
func changes(was, became mailing.Facts) (before, after mailing.Facts) {
	before, after = mailing.Facts{}, mailing.Facts{}
	for field, fact := range was {
		if became[field] != fact {
			before[field], after[field] = fact, became[field]
		}
	}
	for field, fact := range became {
		if was[field] != fact {
			before[field], after[field] = was[field], fact
		}
	}
	return before, after
}

// known leaves out what is empty: of a thing that is made or deleted only that is told
// which it has.
func known(f mailing.Facts) mailing.Facts {
	for field, fact := range f {
		if fact == "" {
			delete(f, field)
		}
	}
	return f
}

func accountFacts(a mailing.Account) mailing.Facts {
	return mailing.Facts{
		"email": a.Email, "first_name": a.FirstName, "last_name": a.LastName, "phone": a.Phone, "role": string(a.Role),
		"lang": a.Lang, "zone": a.Zone, "theme": a.Theme,
	}
}

// ofPerson leaves of facts about an account what outlives it: their name and phone go when
// the account is erased, and the audit log stays.
func ofPerson(f mailing.Facts) mailing.Facts {
	for _, field := range []string{"first_name", "last_name", "phone"} {
		if f[field] != "" {
			f[field] = mailing.Masked
		}
	}
	return f
}

// accountThing is an account in the audit log.
func accountThing(a mailing.Account) mailing.Thing {
	return mailing.Thing{Kind: mailing.ThingAccount, ID: a.ID, Name: a.Email}
}

func contactFacts(c mailing.Contact) mailing.Facts {
	return mailing.Facts{
		"email": c.Email, "first_name": c.FirstName, "last_name": c.LastName, "comment": shortened(c.Comment),
	}
}

// contactThing is a client in the audit log, which is not changed: who asks to be forgotten
// must not stand in it.
func contactThing(c mailing.Contact) mailing.Thing {
	return mailing.Thing{Kind: mailing.ThingContact, ID: c.ID, Name: mailing.MaskEmail(c.Email)}
}

// ofClient leaves of facts about a client which there are, for the same reason.
func ofClient(f mailing.Facts) mailing.Facts {
	for field, fact := range f {
		switch {
		case fact == "":
		case field == "email":
			f[field] = mailing.MaskEmail(fact)
		default:
			f[field] = mailing.Masked
		}
	}
	return f
}

func messageFacts(m mailing.Message) mailing.Facts {
	return mailing.Facts{"subject": m.Subject, "format": string(m.Format), "body": bodyFact(m.Body)}
}

// bodyFact tells one text from another without repeating it: how many letters it has,
// and the beginning of its SHA-256.
func bodyFact(body string) string {
	sum := sha256.Sum256([]byte(body))
	return strconv.Itoa(utf8.RuneCountInString(body)) + " · " + hex.EncodeToString(sum[:6])
}

func messageThing(m mailing.Message) mailing.Thing {
	return mailing.Thing{Kind: mailing.ThingMessage, ID: m.ID, Name: m.Subject}
}

// mailingFacts are those of a mailing, with the subject of its message. The contacts
// that are chosen for it are told by the store.
func (a *App) mailingFacts(ctx context.Context, m mailing.Mailing) (mailing.Facts, error) {
	message, err := a.store.Message(ctx, m.MessageID)
	if err != nil {
		return nil, err
	}
	rule, err := json.Marshal(m.Rule)
	if err != nil {
		return nil, wrap(err, "facts of a mailing")
	}
	return mailing.Facts{
		"message": message.Subject, "audience": string(m.Audience), "rule": string(rule), "doubt": string(m.Doubt),
		"weight": string(m.Weight), "from_name": m.FromName, "reply_to": m.ReplyTo, "status": string(m.Status),
		"next_at": momentFact(m.NextAt),
	}, nil
}

// momentFact is empty for the zero time.
func momentFact(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func runThing(r mailing.Run, subject string) mailing.Thing {
	return mailing.Thing{Kind: mailing.ThingRun, ID: r.ID, Name: subject}
}

func relayThing(r RelaySettings) mailing.Thing {
	return mailing.Thing{Kind: mailing.ThingRelay, ID: r.ID, Name: r.Name}
}

func relayFacts(r RelaySettings) mailing.Facts {
	facts := mailing.Facts{
		"kind": r.Kind, "name": r.Name, "host": r.Host, "tls": r.TLS, "username": r.Username,
		"from_name": r.FromName, "from_email": r.FromEmail, "helo_name": r.HeloName, "enabled": strconv.FormatBool(r.Enabled),
	}
	for field, number := range map[string]int{
		"port": r.Port, "weight": r.Weight, "connections": r.Connections, "messages": r.Messages,
		"per_second": r.PerSecond, "per_hour": r.PerHour, "per_day": r.PerDay,
	} {
		if number != 0 {
			facts[field] = strconv.Itoa(number)
		}
	}
	return facts
}

// relayChanges are the changes of a relay. A password is only said to have changed.
func (a *App) relayChanges(was store.Relay, became RelaySettings) (before, after mailing.Facts) {
	before, after = changes(relayFacts(shownRelay(was)), relayFacts(became))
	password, err := a.relayPassword(was)
	if err == nil && password == became.Password {
		return before, after
	}
	if was.PasswordSealed != "" {
		before["password"] = mailing.Masked
	}
	if became.Password != "" {
		after["password"] = mailing.Masked
	}
	return before, after
}
