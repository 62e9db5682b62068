package deliver

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"

	"vestnik/internal/compose"
	"vestnik/internal/compose/dkim"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// errUnread is for a message that the database did not give.
var errUnread = errors.New("deliver: the message cannot be read")

// drafts are the compiled messages of the runs in hand.
type drafts struct {
	mu  sync.Mutex
	all map[draftKey]*draft
}

// draftKey is what a compiled message depends on: roads may have senders of their own.
type draftKey struct {
	run    int64
	from   compose.Address
	signer *dkim.Signer
}

type draft struct {
	once     sync.Once
	template *compose.Template
	err      error
}

// keep forgets the drafts of runs that are over.
func (d *drafts) keep(runs []store.LiveRun) {
	live := make(map[int64]bool, len(runs))
	for _, run := range runs {
		live[run.ID] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.all, func(k draftKey, _ *draft) bool { return !live[k.run] })
}

func (d *drafts) of(k draftKey) *draft {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all == nil {
		d.all = map[draftKey]*draft{}
	}
	found := d.all[k]
	if found == nil {
		found = &draft{}
		d.all[k] = found
	}
	return found
}

// template returns the compiled message of the run, sent as from.
func (e *Engine) template(ctx context.Context, run *mailing.Run, from compose.Address) (*compose.Template, error) {
	k := draftKey{run.ID, from, e.signerOf(from)}
	d := e.drafts.of(k)
	d.once.Do(func() { d.template, d.err = e.compile(ctx, run, from, k.signer) })
	if d.err != nil && mailing.KindOf(d.err) == 0 { // the database was away: try again with the next
		e.drafts.forget(k, d)
	}
	return d.template, d.err
}

func (d *drafts) forget(k draftKey, broken *draft) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all[k] == broken {
		delete(d.all, k)
	}
}

// signerOf returns who signs what is sent as from; nil: nobody.
func (e *Engine) signerOf(from compose.Address) *dkim.Signer {
	if e.Signer == nil {
		return nil
	}
	return e.Signer(domainOf(from.Email))
}

func (e *Engine) compile(ctx context.Context, run *mailing.Run, from compose.Address, signer *dkim.Signer) (*compose.Template, error) {
	version, err := e.Store.Version(ctx, run.VersionID)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	source := compose.Source{
		Subject: version.Subject, Body: version.Body, Format: version.Format, From: from,
		ReplyTo: compose.Address{Email: run.ReplyTo}, Lang: run.Lang, Unsubscribe: run.Unsubscribe,
		Signer: signer, Base: e.BaseURL,
	}
	if run.FromName != "" {
		source.From.Name = run.FromName
	}
	if run.MailingID != 0 {
		source.ListID = "mailing-" + strconv.FormatInt(run.MailingID, 36) + "." + domainOf(from.Email)
	}
	return compose.Compile(source)
}

// recipient is the person a job's mail is for.
func (e *Engine) recipient(j *job, from compose.Address) (compose.Recipient, error) {
	r := compose.Recipient{
		Email: j.Email, FirstName: j.FirstName, LastName: j.LastName, Comment: j.Comment,
		MessageID: mailName(j) + "@" + domainOf(from.Email), Date: j.CreatedAt,
	}
	if j.run.Unsubscribe {
		r.UnsubscribeURL = e.UnsubscribeURL(j.run.OwnerID, j.RunID, j.Email)
	}
	if j.run.Kind == mailing.RunSystem {
		r.Headers = []compose.Header{{Name: "Auto-Submitted", Value: "auto-generated"}} // RFC 3834, section 5
	}
	if j.Vars == "" {
		return r, nil
	}
	vars, err := e.OpenVars(j.Email, j.Vars)
	if err != nil {
		return r, err
	}
	for name, to := range map[string]*string{
		"first_name": &r.FirstName, "last_name": &r.LastName, "comment": &r.Comment,
		"unsubscribe_url": &r.UnsubscribeURL,
	} {
		*to, _ = vars[name].(string)
	}
	r.Vars = vars
	return r, nil
}

// mailName names a delivery's mail, always the same, so that a second copy is the
// first one byte for byte. It tells a reader nothing about other mails.
func mailName(j *job) string {
	var ids [16]byte
	binary.BigEndian.PutUint64(ids[:8], uint64(j.RunID))
	binary.BigEndian.PutUint64(ids[8:], uint64(j.ID))
	sum := sha256.Sum256(ids[:])
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:15]))
}

func domainOf(email string) string {
	_, domain, _ := strings.Cut(email, "@")
	return domain
}
