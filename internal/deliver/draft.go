package deliver

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strconv"
	"strings"
	"sync"

	"vestnik/internal/compose"
	"vestnik/internal/compose/dkim"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// drafts are the compiled messages of the runs in hand.
type drafts struct {
	mu    sync.Mutex
	byRun map[int64]*draft
}

type draft struct {
	once     sync.Once
	from     compose.Address
	signer   *dkim.Signer
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
	for id := range d.byRun {
		if !live[id] {
			delete(d.byRun, id)
		}
	}
}

func (d *drafts) of(runID int64, from compose.Address, signer *dkim.Signer) *draft {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byRun == nil {
		d.byRun = map[int64]*draft{}
	}
	found := d.byRun[runID]
	if found == nil || found.from != from || found.signer != signer {
		found = &draft{from: from, signer: signer}
		d.byRun[runID] = found
	}
	return found
}

// template returns the compiled message of the run, sent as from.
func (e *Engine) template(ctx context.Context, run *mailing.Run, from compose.Address) (*compose.Template, error) {
	d := e.drafts.of(run.ID, from, e.signerOf(from))
	d.once.Do(func() { d.template, d.err = e.compile(ctx, run, from, d.signer) })
	if d.err != nil && mailing.KindOf(d.err) == 0 { // the database was away: try again with the next
		e.drafts.forget(run.ID, d)
	}
	return d.template, d.err
}

func (d *drafts) forget(runID int64, broken *draft) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byRun[runID] == broken {
		delete(d.byRun, runID)
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
		return nil, err
	}
	source := compose.Source{
		Subject: version.Subject, Body: version.Body, Format: version.Format, From: from,
		ReplyTo: compose.Address{Email: run.ReplyTo}, Lang: run.Lang, Unsubscribe: run.Unsubscribe,
		Signer: signer,
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
