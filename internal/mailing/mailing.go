package mailing

import "time"

// Status is where a mailing is in its life.
type Status string

// The statuses.
//
//	          open a run           last run done, none to come
//	created ────────────► running ────────────────────────────► completed
//	   │  ▲                 │  ▲                                    │
//	   │  └──── resume ─────┼──┘◄────── new dates, next is known ───┘
//	   └─────► paused ◄─────┘            (any status) ─ disable ─► disabled
//
// What is completed may be sent by hand, and paused as long as that run is open.
const (
	StatusCreated   Status = "created"   // создана: nothing sent by schedule yet
	StatusRunning   Status = "running"   // запущена: has been sent, or is being, and goes on
	StatusCompleted Status = "completed" // завершена: no occurrence is left
	StatusPaused    Status = "paused"    // приостановлена by its owner
	StatusDisabled  Status = "disabled"  // отключена by its owner, a manager or an admin
)

// Event is what may change a mailing's status.
type Event string

// The events.
const (
	EventOpen    Event = "open"    // the schedule opened a run
	EventFinish  Event = "finish"  // its last run is done and no occurrence is left
	EventPause   Event = "pause"   // the owner stops it for a while
	EventResume  Event = "resume"  // the owner lets it go on
	EventDisable Event = "disable" // it is switched off
	EventEnable  Event = "enable"  // it is switched on again
	EventEdit    Event = "edit"    // its dates were changed
)

// transitions is the one table of what may follow what. Resume, enable and edit
// lead to created here and to running when something was sent already; see
// Mailing.After.
var transitions = map[Status]map[Event]Status{
	StatusCreated: {
		EventOpen: StatusRunning, EventFinish: StatusCompleted, EventEdit: StatusCreated,
		EventPause: StatusPaused, EventDisable: StatusDisabled,
	},
	StatusRunning: {
		EventOpen: StatusRunning, EventFinish: StatusCompleted, EventEdit: StatusCreated,
		EventPause: StatusPaused, EventDisable: StatusDisabled,
	},
	StatusCompleted: {EventEdit: StatusCreated, EventPause: StatusPaused, EventDisable: StatusDisabled},
	StatusPaused:    {EventResume: StatusCreated, EventEdit: StatusPaused, EventDisable: StatusDisabled},
	StatusDisabled:  {EventEnable: StatusCreated, EventEdit: StatusDisabled},
}

// Statuses lists all statuses in the order of their life.
func Statuses() []Status {
	return []Status{StatusCreated, StatusRunning, StatusCompleted, StatusPaused, StatusDisabled}
}

// Live reports whether the schedule and the open runs of a mailing in this
// status go on.
func (s Status) Live() bool { return s != StatusPaused && s != StatusDisabled }

// Allows reports whether the event may happen in this status.
func (s Status) Allows(e Event) bool {
	_, ok := transitions[s][e]
	return ok
}

// Audience says who gets a mailing.
type Audience string

// The audiences.
const (
	AudienceAll    Audience = "all"    // every client the owner has when a run opens
	AudienceChosen Audience = "chosen" // the clients picked for it
	AudienceFailed Audience = "failed" // those whom another run had failed to reach; of runs only
)

// Doubt is what is done with a delivery that may or may not have been accepted,
// because the connection broke after the final dot.
type Doubt string

// The two ways; each keeps one promise and cannot keep the other (RFC 1047).
const (
	NeverTwice  Doubt = "never_twice"  // hold it and list it
	NeverMissed Doubt = "never_missed" // send it again, byte for byte the same
)

// Mailing (рассылка) is a message, whom it goes to and when.
type Mailing struct {
	ID        int64
	OwnerID   int64
	MessageID int64
	Audience  Audience
	Rule      Rule
	Doubt     Doubt
	Weight    Weight
	FromName  string // empty: the relay's
	ReplyTo   string // empty: none
	Status    Status
	NextAt    time.Time // zero: no occurrence is left
	LastAt    time.Time // when the latest run was opened; zero: never
	StopBy    int64     // who paused or disabled it; 0: nobody
	StopWhy   string    // what they said
	StoppedAt time.Time
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Refuses is the error that what is to be done makes no sense in the mailing's status. It
// is of kind Conflict and names both.
func (m Mailing) Refuses(e Event) error {
	return Fault(Conflict, "mailing_status", "status", string(m.Status), "event", string(e))
}

// After returns the status that follows the event, or what Refuses says.
func (m Mailing) After(e Event) (Status, error) {
	next, ok := transitions[m.Status][e]
	if !ok {
		return m.Status, m.Refuses(e)
	}
	if next != StatusCreated {
		return next, nil
	}
	if m.NextAt.IsZero() {
		return StatusCompleted, nil
	}
	if !m.LastAt.IsZero() {
		return StatusRunning, nil
	}
	return StatusCreated, nil
}
