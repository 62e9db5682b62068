package torture

import (
	"fmt"

	"vestnik/internal/mailing"
)

// Reckoning is what became of the recipients of runs: the oracle. What is not a
// list of sentences counts deliveries.
type Reckoning struct {
	Recipients int
	InDoubt    []mailing.Delivery // listed for a person to decide
	Again      int                // copies that somebody has beyond their first

	// What must not be.
	Lost   []string // said to be sent and not there, or not said to be anything final
	Twice  []string // with more copies than are allowed
	Untrue []string // said not to be sent, and there
	Stuck  []string // still said to be in sending
}

// Reckon compares the deliveries of runs that are over with the copies that the
// mail server has, by address. Everybody may have as many copies of each
// delivery as are allowed.
//
// Lost = recipients − unique at the server − failed for good − skipped − in doubt.
func Reckon(deliveries []mailing.Delivery, copies map[string]int, allowed int) Reckoning {
	r := Reckoning{Recipients: len(deliveries)}
	sent, doubtful := map[string]int{}, map[string]int{}
	for _, d := range deliveries {
		switch d.State {
		case mailing.Sent:
			sent[d.Email]++
		case mailing.InDoubt:
			doubtful[d.Email]++
			r.InDoubt = append(r.InDoubt, d)
		case mailing.Failed, mailing.Skipped:
		case mailing.Sending:
			r.Stuck = append(r.Stuck, d.Email)
		default:
			r.Lost = append(r.Lost, fmt.Sprintf("%s, left %s", d.Email, d.State))
		}
	}
	for email, n := range sent {
		if copies[email] < n {
			r.Lost = append(r.Lost, fmt.Sprintf("%s, sent %d times by the ledger and %d by the server", email, n, copies[email]))
		}
	}
	for email, n := range copies {
		most := sent[email] + doubtful[email]
		r.Again += max(n-most, 0)
		switch {
		case most == 0:
			r.Untrue = append(r.Untrue, fmt.Sprintf("%s has %d mails and none by the ledger", email, n))
		case n > most*allowed:
			r.Twice = append(r.Twice, fmt.Sprintf("%s has %d mails", email, n))
		}
	}
	return r
}

// Complaints are sentences about what must not be.
func (r Reckoning) Complaints() []string {
	var sentences []string
	for _, wrong := range []struct {
		what string
		who  []string
	}{{"lost", r.Lost}, {"sent too often", r.Twice}, {"listed wrongly", r.Untrue}, {"stuck in sending", r.Stuck}} {
		if len(wrong.who) > 0 {
			sentences = append(sentences, fmt.Sprintf("%d are %s: %q", len(wrong.who), wrong.what, wrong.who[:min(10, len(wrong.who))]))
		}
	}
	return sentences
}
