package mailing

import (
	"cmp"
	"time"
)

// RunKind says why a run was opened.
type RunKind string

// The kinds. The first three belong to a mailing; the others are single mails,
// which leave by the same road.
const (
	RunScheduled RunKind = "scheduled" // an occurrence of the mailing's rule
	RunManual    RunKind = "manual"    // sent by hand
	RunAgain     RunKind = "again"     // what another run had failed to send, once more
	RunTest      RunKind = "test"      // a test of a message
	RunSystem    RunKind = "system"    // a code, a reset, a notice
)

// Priority orders runs: a higher one is leased first.
type Priority int64

// The priorities. Chosen with room between; only their order matters.
const (
	PriorityBulk   Priority = 0
	PriorityTest   Priority = 50
	PrioritySystem Priority = 100 // somebody sits in front of the screen and waits for a code
)

// RunState is where a run is in its life.
type RunState string

// The states: opening → sending → completed, or cancelled on the way. One that was
// taken back had been opened by hand, and nothing of it was sent. A missed
// run was never opened: its time had passed by more than the late limit.
const (
	RunOpening   RunState = "opening"   // its deliveries are being written down; sending has begun
	RunSending   RunState = "sending"   // all deliveries are written down
	RunCompleted RunState = "completed" // every delivery is final
	RunCancelled RunState = "cancelled" // what was not sent was skipped
	RunTakenBack RunState = "taken_back"
	RunMissed    RunState = "missed" // on record only
)

// Open reports whether a run in this state has work left.
func (s RunState) Open() bool { return s == RunOpening || s == RunSending }

// Run (запуск) is one sending of a mailing. What it sends is frozen when it is
// opened.
type Run struct {
	ID           int64
	MailingID    int64 // 0 for single mails
	OwnerID      int64
	Kind         RunKind
	ScheduledFor time.Time
	State        RunState
	VersionID    int64
	Audience     Audience
	FromName     string
	ReplyTo      string
	Lang         string
	Priority     Priority
	Weight       Weight // empty for single mails
	Doubt        Doubt
	Unsubscribe  bool // mails carry a way to unsubscribe
	Counts       Counts
	Halt         string // why the mail server lets nothing of it through; empty: nothing is wrong
	CreatedAt    time.Time
	FinishedAt   time.Time
	GoesAt       time.Time // until then nothing of it goes out; zero: it went at once
	Begun        bool      // somebody had their turn: from then on it cannot be taken back
	AgainOf      int64     // the run whose failed deliveries it sends again; 0: none
	AgainRoot    int64     // the first one of those that do so one after another; 0: none
}

// Began is when the first of it may have gone out.
func (r Run) Began() time.Time {
	if r.GoesAt.After(r.CreatedAt) {
		return r.GoesAt
	}
	return r.CreatedAt
}

// Root is the run with which it began that mails are sent again.
func (r Run) Root() int64 { return cmp.Or(r.AgainRoot, r.ID) }

// NewRun is a run of the mailing as it is frozen at now.
func NewRun(m Mailing, owner Account, kind RunKind, scheduledFor, now time.Time) Run {
	return Run{
		MailingID: m.ID, OwnerID: m.OwnerID, Kind: kind, ScheduledFor: scheduledFor, State: RunOpening,
		Audience: m.Audience, FromName: m.FromName, ReplyTo: m.ReplyTo, Lang: owner.Lang, Priority: PriorityBulk,
		Weight: m.Weight, Doubt: m.Doubt, Unsubscribe: true, CreatedAt: now,
	}
}

// Counts are the deliveries of a run by outcome. Audience is how many there are.
type Counts struct {
	Audience, Sent, Failed, Skipped, InDoubt int64
}

// Final is how many deliveries need nothing more.
func (c Counts) Final() int64 { return c.Sent + c.Failed + c.Skipped + c.InDoubt }

// Waiting is how many deliveries are not final yet.
func (c Counts) Waiting() int64 { return c.Audience - c.Final() }
