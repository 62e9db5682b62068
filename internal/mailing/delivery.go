package mailing

import "time"

// DeliveryState is where a delivery is in its life. The numbers are stored.
type DeliveryState int64

// The states. The first two can be leased; the last four are final.
//
//	          lease            250
//	waiting ────────► sending ──────► sent
//	   ▲ ▲              │ │ │  5xx
//	   │ └─ handed back ┘ │ └───────► failed
//	   │     4xx          │ no answer after the final dot, never twice
//	deferred ◄────────────┴─────────► in doubt        (skipped: never tried)
const (
	Waiting  DeliveryState = 0
	Deferred DeliveryState = 1 // tried, and due again later
	Sending  DeliveryState = 2 // leased by a node
	Sent     DeliveryState = 3
	Failed   DeliveryState = 4
	Skipped  DeliveryState = 5
	InDoubt  DeliveryState = 6
)

var deliveryStateNames = [...]string{"waiting", "deferred", "sending", "sent", "failed", "skipped", "in_doubt"}

// String gives the name used in logs, addresses and translation keys.
func (s DeliveryState) String() string {
	if s < 0 || int(s) >= len(deliveryStateNames) {
		return "unknown"
	}
	return deliveryStateNames[s]
}

// ParseDeliveryState is the inverse of String; false for a name that is none.
func ParseDeliveryState(name string) (DeliveryState, bool) {
	for i, known := range deliveryStateNames {
		if known == name {
			return DeliveryState(i), true
		}
	}
	return 0, false
}

// Final reports whether nothing more happens to a delivery in this state.
func (s DeliveryState) Final() bool { return s >= Sent }

// Delivery (доставка) is one mail of a run to one person.
type Delivery struct {
	ID        int64
	RunID     int64
	ContactID int64 // 0 for single mails and deleted contacts
	Email     string
	State     DeliveryState
	Reason    Reason // why it was skipped or failed; empty otherwise
	Tries     int64
	DueAt     time.Time
	SettledAt time.Time // when it became final; zero before
}

// AttemptResult is how one try ended.
type AttemptResult string

// The results.
const (
	AttemptAccepted AttemptResult = "accepted" // успешно
	AttemptDeferred AttemptResult = "deferred" // will be tried again
	AttemptFailed   AttemptResult = "failed"   // не успешно
	AttemptInDoubt  AttemptResult = "in_doubt" // no answer after the final dot
)

// Attempt (попытка) is one try of a delivery and what came of it. Append-only.
type Attempt struct {
	ID         int64
	DeliveryID int64
	RunID      int64
	MailingID  int64
	OwnerID    int64
	Email      string
	At         time.Time
	Duration   time.Duration
	Node       string
	Host       string // "mx.example.org:25", or "demo"
	TLS        string // "TLS1.3"; empty: in clear
	Stage      string // where in the conversation it ended, "dot" when all went well
	Result     AttemptResult
	Reply      Reply
}

// Lifetime is how long a delivery is retried: "at least 4-5 days" (RFC 5321,
// section 4.5.4.1).
const Lifetime = 5 * 24 * time.Hour

// backoff is how long to wait after each deferred try; the last one repeats. The
// first are short because greylisting lets a second try through after one to
// fifteen minutes (RFC 6647, section 4.5 counsels servers to accept after that);
// from there on it is the half hour and more of RFC 5321, section 4.5.4.1.
var backoff = [...]time.Duration{
	5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute,
	1 * time.Hour, 2 * time.Hour, 4 * time.Hour,
}

// Backoff returns how long to wait after the given number of tries, from 1 on.
func Backoff(tries int64) time.Duration {
	i := min(max(tries-1, 0), int64(len(backoff)-1))
	return backoff[i]
}
