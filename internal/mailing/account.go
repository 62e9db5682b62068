package mailing

import (
	"slices"
	"strings"
	"time"
)

// Role is what a person may do on the installation.
type Role string

// The roles, each able to do less than the next.
const (
	RoleUser    Role = "user"    // пользователь: their own room
	RoleManager Role = "manager" // менеджер: sees all, blocks, disables
	RoleAdmin   Role = "admin"   // админ: everything
)

// Account is a registered person. It carries no secret: password hashes stay
// in the store and are compared there.
type Account struct {
	ID          int64
	Email       string // normalised, see NormalizeEmail
	FirstName   string
	LastName    string
	Phone       string
	Role        Role
	Lang        string    // "ru" or "en"
	Zone        string    // IANA name
	Theme       string    // "light", "dark" or "auto", as the device does; empty: never chosen
	Avatar      string    // the Hash of a picture; empty: none
	ConfirmedAt time.Time // zero until the code was given
	BlockedAt   time.Time // zero unless blocked
	BlockedBy   int64     // an account, or the operator; 0 unless blocked
	BlockedWhy  string
	SignedInAt  time.Time // the last time; zero: never, or before that was noted
	PerDay      int64     // mails of mailings that may go out in any 24 hours; 0: no limit
	CreatedAt   time.Time
	Era         int64 // how often all their sessions were ended
}

// Active reports whether the person may sign in and their mailings go out.
func (a Account) Active() bool { return !a.ConfirmedAt.IsZero() && a.BlockedAt.IsZero() }

// Name is what to call the person: first and last name, or the e-mail.
func (a Account) Name() string {
	if name := strings.TrimSpace(a.FirstName + " " + a.LastName); name != "" {
		return name
	}
	return a.Email
}

// Permission is one thing somebody may do to things that are not their own.
type Permission string

// The permissions, named as the contract names them.
const (
	ViewAnyMailing    Permission = "view_any_mailing" // and its runs and log
	ViewAnyClient     Permission = "view_any_client"
	ViewUsers         Permission = "view_users"
	BlockUsers        Permission = "block_users"
	DisableAnyMailing Permission = "disable_any_mailing"
	ChangeAnything    Permission = "change_anything" // edit, send and delete others' things
	GrantRoles        Permission = "grant_roles"
	ManageUsers       Permission = "manage_users"   // make accounts, sign them out, limit what they send
	ManageService     Permission = "manage_service" // settings, health and background jobs
	ManageRelays      Permission = "manage_relays"  // set up how mail leaves
	EndHold           Permission = "end_hold"       // say what a restored database is
	ViewAudit         Permission = "view_audit"     // what everybody did
	ResetFactors      Permission = "reset_factors"  // of somebody who has lost them
	WriteBlog         Permission = "write_blog"     // and read what is not published
	InviteUsers       Permission = "invite_users"   // with a role not above one's own
)

var permissions = map[Role][]Permission{
	RoleUser:    nil,
	RoleManager: {ViewAnyMailing, ViewAnyClient, ViewUsers, BlockUsers, DisableAnyMailing},
	RoleAdmin: {
		ViewAnyMailing, ViewAnyClient, ViewUsers, BlockUsers, DisableAnyMailing,
		ChangeAnything, GrantRoles, ManageUsers, ManageService, ManageRelays, EndHold, ViewAudit, ResetFactors, WriteBlog, InviteUsers,
	},
}

// May reports whether the role carries the permission.
func (r Role) May(p Permission) bool {
	for _, has := range permissions[r] {
		if has == p {
			return true
		}
	}
	return false
}

// Roles lists all roles, each able to do less than the next.
func Roles() []Role { return []Role{RoleUser, RoleManager, RoleAdmin} }

// Above reports whether r is able to do more than other.
func (r Role) Above(other Role) bool {
	return slices.Index(Roles(), r) > slices.Index(Roles(), other)
}

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool {
	_, ok := permissions[r]
	return ok
}

// Standing says in a word whether a person may use the service.
type Standing string

// The standings.
const (
	StandingActive      Standing = "active"
	StandingBlocked     Standing = "blocked"
	StandingUnconfirmed Standing = "unconfirmed" // the code was not given yet
)

// Standings lists all of them.
func Standings() []Standing { return []Standing{StandingActive, StandingUnconfirmed, StandingBlocked} }

// Standing is that of the account.
func (a Account) Standing() Standing {
	switch {
	case !a.BlockedAt.IsZero():
		return StandingBlocked
	case a.ConfirmedAt.IsZero():
		return StandingUnconfirmed
	}
	return StandingActive
}
