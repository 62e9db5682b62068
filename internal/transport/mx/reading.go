package mx

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/transport"
)

// Meaning is what a refusal is about, by the words of the one who refuses.
type Meaning string

// The meanings. Throttled, Reputation and Greylisted say nothing about the recipient:
// they do not end a delivery, even where the code is a 5yz.
const (
	Other       Meaning = ""             // nothing that we know
	Throttled   Meaning = "throttled"    // we are too fast: the site is to be slowed down
	Reputation  Meaning = "reputation"   // we are not trusted: the site is to be left alone for longer each time
	Unwelcome   Meaning = "unwelcome"    // the same by its policy, in words that we do not know
	Greylisted  Meaning = "greylisted"   // this mail is to be tried again, after a while
	MailboxFull Meaning = "mailbox_full" // the recipient has no room
	NoSuchUser  Meaning = "no_such_user" // there is no such mailbox
)

// Reading is what Site.Read makes of a reply.
type Reading struct {
	Meaning Meaning
	// RetryAfter is when to try again at the earliest; 0: as the caller sees fit.
	RetryAfter time.Duration
}

// Greylisting lets a second try through after a time that the site chose: mostly
// five minutes (the default of Postgrey and others; RFC 6647, section 4.5 counsels
// between one minute and a day). Where the text tells a time it is believed up to
// an hour: chosen, so that nobody can hold mail for a day.
const (
	greylistedAtLeast = 5 * time.Minute
	greylistedAtMost  = time.Hour
)

// rule says what a reply means that has one of codes, one of enhanced and one of
// says; what is empty fits always.
type rule struct {
	Means        Meaning  `json:"means"`
	Codes        []int    `json:"codes"` // 4 and 5 stand for all that begin so
	Enhanced     []string `json:"enhanced"`
	Says         []string `json:"says"` // parts of the text, in lower case
	RetryMinutes int      `json:"retry_minutes"`
	Source       string   `json:"source"`
}

// Read says what a refusal by this site means, first by the site's own words and
// then by those that all use. It looks at no stage: a reply to the greeting can
// say "slow down" as well as one to the message.
func (s *Site) Read(reply mailing.Reply) Reading {
	if !reply.Transient() && !reply.Permanent() {
		return Reading{}
	}
	text := oneLine(reply.Text)
	for _, rules := range [][]rule{s.rules, s.providers.rules} {
		for i := range rules {
			if rules[i].fits(reply, text) {
				return rules[i].reading(text)
			}
		}
	}
	if isPolicy(reply.Enhanced) {
		return Reading{Meaning: Unwelcome}
	}
	return Reading{}
}

// isPolicy reports whether an enhanced code is about what the site thinks of us (RFC
// 3463, section 3.8, and RFC 7372): x.7.y, but for those about cryptography.
func isPolicy(enhanced string) bool {
	_, detail, _ := strings.Cut(enhanced, ".")
	detail, ok := strings.CutPrefix(detail, "7.")
	return ok && !slices.Contains([]string{"3", "4", "5", "6", "7", "10", "11", "12"}, detail)
}

// Judge is mailing.Judge with an ear for the site's words, which tell more than
// its codes: a 5yz that means "too fast" does not end a delivery, and "no such
// user" is about the mailbox also where the code is 5.7.1. That a site blames us
// concerns this site only, not all that is sent.
func (s *Site) Judge(reply mailing.Reply, stage transport.Stage) (mailing.Verdict, Reading) {
	verdict, reading := mailing.Judge(reply, string(stage)), s.Read(reply)
	ends := reply.Permanent() && (stage == transport.StageRcpt || stage == transport.StageData || stage == transport.StageDot)
	switch reading.Meaning {
	case Throttled, Reputation:
		verdict = mailing.Verdict{Result: mailing.AttemptDeferred, Blame: mailing.BlameUs}
	case Greylisted:
		verdict = mailing.Verdict{Result: mailing.AttemptDeferred}
	case NoSuchUser:
		if ends {
			verdict = mailing.Verdict{Result: mailing.AttemptFailed, Blame: mailing.BlameMailbox}
		}
	case MailboxFull:
		if ends {
			verdict = mailing.Verdict{Result: mailing.AttemptFailed, Blame: mailing.BlameMessage}
		}
	}
	return verdict, reading
}

// oneLine makes lower case and single spaces: servers break their lines
// anywhere.
func oneLine(text string) string { return strings.Join(strings.Fields(strings.ToLower(text)), " ") }

func (r *rule) fits(reply mailing.Reply, text string) bool {
	code := len(r.Codes) == 0 || slices.Contains(r.Codes, reply.Code) || slices.Contains(r.Codes, reply.Code/100)
	enhanced := len(r.Enhanced) == 0 || slices.Contains(r.Enhanced, reply.Enhanced)
	return code && enhanced && (len(r.Says) == 0 ||
		slices.ContainsFunc(r.Says, func(words string) bool { return strings.Contains(text, words) }))
}

func (r *rule) reading(text string) Reading {
	reading := Reading{Meaning: r.Means, RetryAfter: time.Duration(r.RetryMinutes) * time.Minute}
	if r.Means == Greylisted && reading.RetryAfter == 0 {
		reading.RetryAfter = max(greylistedAtLeast, min(toldTime(text), greylistedAtMost))
	}
	return reading
}

// toldTime finds "300 seconds", "5 minutes" and "00:05:00" in a text. A little
// is added, since the server's clock began before ours.
func toldTime(text string) time.Duration {
	const grace = 10 * time.Second // chosen
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;()[]", r) })
	for i, word := range words {
		if clock, err := time.Parse("15:04:05", strings.TrimRight(word, ".")); err == nil {
			return time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute +
				time.Duration(clock.Second())*time.Second + grace
		}
		number, err := strconv.ParseUint(word, 10, 16)
		if err != nil || i+1 == len(words) {
			continue
		}
		switch {
		case strings.HasPrefix(words[i+1], "sec"):
			return time.Duration(number)*time.Second + grace
		case strings.HasPrefix(words[i+1], "min"):
			return time.Duration(number)*time.Minute + grace
		}
	}
	return 0
}
