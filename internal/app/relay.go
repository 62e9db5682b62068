package app

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

const purposeRelay = "relay password"

// The kinds of relays.
const (
	RelaySMTP = "smtp" // a mail server that takes mails for everybody
	RelayMX   = "mx"   // none: mails go straight to the servers of each recipient
)

// RelaySettings are one way out for mails. Of several that are in use, each
// carries a share by its weight.
type RelaySettings struct {
	ID        int64
	Kind      string // RelaySMTP or RelayMX
	Name      string // what people call it; of no two the same
	Host      string // this to Password are empty for RelayMX
	Port      int
	TLS       string // "none", "starttls", "starttls-required" or "implicit"
	Username  string
	Password  string // in a form, empty keeps the one that is stored
	FromName  string
	FromEmail string
	HeloName  string // who we say we are; for RelaySMTP it may be empty: our address

	Weight      int // 1 to MaxRelayWeight
	Connections int // of all nodes together at once; 0: as many as the nodes have
	Messages    int // over one connection; 0: as many as is usual
	PerSecond   int // 0: no limit, as of the following
	PerHour     int
	PerDay      int

	Enabled   bool
	Trouble   string    // why it was stopped, in the server's words; empty: it was not
	TroubleAt time.Time // zero without trouble
}

// Stopped reports whether it is to be used and cannot be.
func (r RelaySettings) Stopped() bool { return r.Enabled && r.Trouble != "" }

// Server is where it sends: to a server, or as a name of our own to all.
func (r RelaySettings) Server() string {
	if r.Kind == RelayMX {
		return r.HeloName
	}
	return net.JoinHostPort(r.Host, strconv.Itoa(r.Port))
}

// Limits are those of the relay in one.
func (r RelaySettings) Limits() mailing.Limits {
	return mailing.Limits{
		Connections: r.Connections, Messages: r.Messages, PerSecond: r.PerSecond, PerHour: r.PerHour, PerDay: r.PerDay,
	}
}

// Relays lists all ways out, without their passwords, in the order in which they
// were set up. While none is in use, mails leave by SMTP_URL or stay in the demo
// mailbox.
func (a *App) Relays(ctx context.Context, actor mailing.Account) ([]RelaySettings, error) {
	if err := mayManageRelays(actor); err != nil {
		return nil, err
	}
	rows, err := a.store.Relays(ctx)
	relays := make([]RelaySettings, len(rows))
	for i, row := range rows {
		relays[i] = shownRelay(row)
	}
	return relays, err
}

// Relay returns a way out, without its password.
func (a *App) Relay(ctx context.Context, actor mailing.Account, id int64) (RelaySettings, error) {
	if err := mayManageRelays(actor); err != nil {
		return RelaySettings{}, err
	}
	row, err := a.store.Relay(ctx, id)
	return shownRelay(row), err
}

// StoppedRelays lists those that are to be used and cannot be, for the alarm on
// all pages; none to those who may do nothing about it.
func (a *App) StoppedRelays(ctx context.Context, actor mailing.Account) ([]RelaySettings, error) {
	if mayManageRelays(actor) != nil {
		return nil, nil
	}
	relays, err := a.Relays(ctx, actor)
	return slices.DeleteFunc(relays, func(r RelaySettings) bool { return !r.Stopped() }), err
}

// RefusedRelay is a way of sending directly with the sites whose policy refuses it.
type RefusedRelay struct {
	RelaySettings
	Sites []SiteTrouble // by site and node; some
}

// RefusedRelays lists those of the ways in use that sites refuse, for the alarm and for
// their pages; none to those who may do nothing about it.
func (a *App) RefusedRelays(ctx context.Context, actor mailing.Account) ([]RefusedRelay, error) {
	if mayManageRelays(actor) != nil {
		return nil, nil
	}
	troubles, err := a.store.SiteTroubles(ctx, a.Now())
	if err != nil || len(troubles) == 0 {
		return nil, err
	}
	relays, err := a.Relays(ctx, actor)
	var refused []RefusedRelay
	for _, relay := range relays {
		sites := slices.DeleteFunc(slices.Clone(troubles), func(t SiteTrouble) bool { return t.RelayID != relay.ID })
		if relay.Enabled && len(sites) > 0 {
			refused = append(refused, RefusedRelay{relay, sites})
		}
	}
	return refused, err
}

// RelaysInUse lists those that are switched on, with their passwords, for those
// who send: also those that were stopped, which are not to be used and do not make
// room for SMTP_URL or the demo mailbox either. One whose password cannot be
// unsealed is left out and told by the error; the others are there all the same.
func (a *App) RelaysInUse(ctx context.Context) ([]RelaySettings, error) {
	rows, err := a.store.Relays(ctx)
	if err != nil {
		return nil, err
	}
	var relays []RelaySettings
	var faults []error
	for _, row := range rows {
		if !row.Enabled {
			continue
		}
		r := shownRelay(row)
		if r.Password, err = a.relayPassword(row); err != nil {
			faults = append(faults, err)
			continue
		}
		relays = append(relays, r)
	}
	return relays, errors.Join(faults...)
}

func (a *App) relayPassword(row store.Relay) (string, error) {
	if row.PasswordSealed == "" {
		return "", nil
	}
	password, err := a.keys.Open(purposeRelay, row.Username, row.PasswordSealed)
	return string(password), wrap(err, "password of relay "+row.Name)
}

// CreateRelay adds a way out and returns its id. Without a name it is called as
// its server is. Runs that the others have halted try it.
func (a *App) CreateRelay(ctx context.Context, actor mailing.Account, r RelaySettings) (int64, error) {
	r.ID = 0
	r, err := a.checkedRelay(ctx, actor, r)
	if err != nil {
		return 0, err
	}
	if err := a.keepExamples(ctx, actor, r); err != nil {
		return 0, err
	}
	row := a.storedRelay(r)
	row.CreatedAt = row.UpdatedAt
	_, facts := a.relayChanges(store.Relay{}, r)
	id, err := a.store.CreateRelay(a.doing(ctx, actor, mailing.Deed{
		Action: "relay.create", Thing: relayThing(r), After: known(facts),
	}), row)
	if err != nil {
		return 0, err
	}
	return id, a.relaysChanged(ctx)
}

// UpdateRelay changes a way out. If it was stopped, it is used again. The last
// that is in use cannot be switched off, since mails would stay here, and count as
// sent: who wants that deletes it.
func (a *App) UpdateRelay(ctx context.Context, actor mailing.Account, r RelaySettings) error {
	if err := mayManageRelays(actor); err != nil {
		return err
	}
	was, err := a.store.Relay(ctx, r.ID)
	if err != nil {
		return err
	}
	r, err = a.checkedRelay(ctx, actor, r)
	if err != nil {
		return err
	}
	if err := a.checkNotLast(ctx, r); err != nil {
		return err
	}
	if err := a.keepExamples(ctx, actor, r); err != nil {
		return err
	}
	before, after := a.relayChanges(was, r)
	doing := a.doing(ctx, actor, mailing.Deed{
		Action: "relay.update", Thing: relayThing(shownRelay(was)), Before: before, After: after,
	})
	if err := a.store.UpdateRelay(doing, a.storedRelay(r)); err != nil {
		return err
	}
	return a.relaysChanged(ctx)
}

// DeleteRelay removes a way out. After the last in use, mails leave by SMTP_URL or
// stay in the demo mailbox.
func (a *App) DeleteRelay(ctx context.Context, actor mailing.Account, id int64) error {
	if err := mayManageRelays(actor); err != nil {
		return err
	}
	was, err := a.Relay(ctx, actor, id)
	if err != nil {
		return err
	}
	doing := a.doing(ctx, actor, mailing.Deed{Action: "relay.delete", Thing: relayThing(was), Before: known(relayFacts(was))})
	if err := a.store.DeleteRelay(doing, id); err != nil {
		return err
	}
	return a.changeRelays(ctx)
}

// ResumeRelay has a way out used again that was stopped.
func (a *App) ResumeRelay(ctx context.Context, actor mailing.Account, id int64) error {
	if err := mayManageRelays(actor); err != nil {
		return err
	}
	was, err := a.Relay(ctx, actor, id)
	if err != nil {
		return err
	}
	doing := a.doing(ctx, actor, mailing.Deed{
		Action: "relay.resume", Thing: relayThing(was), Before: known(mailing.Facts{"trouble": shortened(was.Trouble)}),
	})
	if err := a.store.ResumeRelay(doing, id); err != nil {
		return err
	}
	return a.relaysChanged(ctx)
}

// TestRelay tries settings as they are, stored or not, step by step.
func (a *App) TestRelay(ctx context.Context, actor mailing.Account, r RelaySettings, step func(name string, err error)) error {
	r, err := a.checkedRelay(ctx, actor, r)
	if err != nil {
		return err
	}
	a.CheckRelay(ctx, r, step)
	return nil
}

// StopRelay is for those who send: the server refuses our name and password. Until
// somebody has looked after it, nobody uses it. The first time it is told to
// everybody who may do so, by mails that another way out carries if there is one.
// The caller stops by itself; the other nodes do when they next look.
func (a *App) StopRelay(ctx context.Context, id int64, why string) error {
	first, err := a.store.StopRelay(ctx, id, cmp.Or(mailing.CleanLine(why), unsaid), a.Now())
	if err != nil || !first {
		return err
	}
	relay, err := a.store.Relay(ctx, id)
	if err != nil {
		return err
	}
	admins, err := a.store.ActiveAccountsOfRole(ctx, mailing.RoleAdmin) // the role that manages relays
	if err != nil {
		return err
	}
	var faults []error
	for _, admin := range admins {
		faults = append(faults, a.mail(ctx, admin, mailRelayStopped, map[string]any{
			"relay": relay.Name, "why": relay.Trouble, "link": a.BaseURL + "/relays",
		}))
	}
	return errors.Join(faults...)
}

// unsaid stands for the words of a server that gave none.
const unsaid = "—"

// relaysChanged has this process use what is set up now, and lets runs try it that
// were halted.
func (a *App) relaysChanged(ctx context.Context) error {
	if err := a.changeRelays(ctx); err != nil {
		return err
	}
	return a.store.ClearHalts(ctx)
}

func (a *App) changeRelays(ctx context.Context) error {
	if a.RelayChanged == nil {
		return nil
	}
	return wrap(a.RelayChanged(ctx), "use relays")
}

func mayManageRelays(actor mailing.Account) error {
	if actor.Role.May(mailing.ManageRelays) {
		return nil
	}
	return mailing.Fault(mailing.NotFound, "not_found")
}

func shownRelay(row store.Relay) RelaySettings {
	return RelaySettings{
		ID: row.ID, Kind: row.Kind, Name: row.Name, Host: row.Host, Port: row.Port, TLS: row.TLS, Username: row.Username,
		FromName: row.FromName, FromEmail: row.FromEmail, HeloName: row.HeloName, Weight: row.Weight,
		Connections: row.Connections, Messages: row.Messages, PerSecond: row.PerSecond, PerHour: row.PerHour, PerDay: row.PerDay,
		Enabled: row.Enabled, Trouble: row.Trouble, TroubleAt: row.TroubleAt,
	}
}

// storedRelay seals the password.
func (a *App) storedRelay(r RelaySettings) store.Relay {
	row := store.Relay{
		ID: r.ID, Kind: r.Kind, Name: r.Name, Host: r.Host, Port: r.Port, TLS: r.TLS, Username: r.Username,
		FromName: r.FromName, FromEmail: r.FromEmail, HeloName: r.HeloName, Weight: r.Weight,
		Connections: r.Connections, Messages: r.Messages, PerSecond: r.PerSecond, PerHour: r.PerHour, PerDay: r.PerDay,
		Enabled: r.Enabled, UpdatedAt: a.Now(),
	}
	if r.Password != "" {
		row.PasswordSealed = a.keys.Seal(purposeRelay, r.Username, []byte(r.Password))
	}
	return row
}
