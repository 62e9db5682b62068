package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

const purposePerson = "person"

// pseudonyms gives what stands in place of erased addresses. Its key is of its own, and
// in the database, sealed: an address that was erased cannot be hashed anew when the
// secret is replaced.
func (a *App) pseudonyms(ctx context.Context) (func(ownerID int64, email string) string, error) {
	sealed, err := a.store.PersonKey(ctx, a.keys.Seal(purposePerson, "", []byte(auth.NewToken())))
	if err != nil {
		return nil, err
	}
	key, err := a.keys.Open(purposePerson, "", sealed)
	if err != nil {
		return nil, wrap(err, "open key of pseudonyms")
	}
	return func(ownerID int64, email string) string {
		mac := hmac.New(sha256.New, key)
		_ = binary.Write(mac, binary.BigEndian, ownerID) // a hash takes everything
		mac.Write([]byte(email))
		return mailing.Pseudonym(strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)[:15])))
	}, nil
}

// person is a client with their pseudonym.
func (a *App) person(ctx context.Context, ownerID int64, email string) (store.Person, error) {
	pseudonym, err := a.pseudonyms(ctx)
	if err != nil {
		return store.Person{}, err
	}
	return store.Person{OwnerID: ownerID, Email: email, Pseudonym: pseudonym(ownerID, email)}, nil
}

// EraseContact forgets a client of the owner: everything that is known of them. What was
// sent to them stays with a pseudonym in place of the address, so that numbers are
// true, and they are never mailed again, also when somebody imports their address.
func (a *App) EraseContact(ctx context.Context, actor mailing.Account, id int64) error {
	c, err := a.changeableContact(ctx, actor, id)
	if err != nil {
		return err
	}
	return a.erase(ctx, actor, c.OwnerID, c.Email, id)
}

// ErasePerson is EraseContact by an address that need not be among the clients any more:
// it may stand in the log, or on the list of whom not to mail.
func (a *App) ErasePerson(ctx context.Context, actor mailing.Account, ownerID int64, typed string) error {
	if err := mayChange(actor, ownerID, mailing.ViewAnyClient); err != nil {
		return err
	}
	email, err := mailing.NormalizeEmail(typed)
	if err != nil {
		return err
	}
	c, err := a.store.ContactByEmail(ctx, ownerID, email)
	if err != nil && mailing.KindOf(err) != mailing.NotFound {
		return err
	}
	return a.erase(ctx, actor, ownerID, email, c.ID)
}

// erase writes no address into the audit log: it is never changed.
func (a *App) erase(ctx context.Context, actor mailing.Account, ownerID int64, email string, contactID int64) error {
	p, err := a.person(ctx, ownerID, email)
	if err != nil {
		return err
	}
	deed := a.doing(ctx, actor, mailing.Deed{
		Action: "contact.erase", Thing: mailing.Thing{Kind: mailing.ThingContact, ID: contactID, Name: p.Pseudonym}, Owner: ownerID,
	})
	defer a.numbersChanged(ctx, ownerID)
	if err := a.store.ErasePerson(deed, p, a.Now()); err != nil {
		return err
	}
	return a.store.Rename(ctx, p)
}

// erasureRest is how long an address that was erased stays on the list of whom not to
// mail: longer than a delivery is in a node's hand, which knows it by heart.
const erasureRest = time.Hour

// FinishErasures takes out of the log what came in while people were being erased, and
// forgets their addresses. It goes on with accounts whose time has come. What fails keeps
// nobody else from being erased. It runs in the background.
func (a *App) FinishErasures(ctx context.Context) error {
	return errors.Join(a.finishPeople(ctx), a.finishAccounts(ctx))
}

func (a *App) finishPeople(ctx context.Context) error {
	before := a.Now().Add(-erasureRest)
	people, err := a.store.ErasedInPart(ctx, before, erasuresAtOnce)
	if err != nil {
		return err
	}
	var faults []error
	for _, p := range people {
		if ctx.Err() != nil {
			break
		}
		faults = append(faults, a.finishPerson(ctx, p, before))
	}
	return errors.Join(faults...)
}

func (a *App) finishPerson(ctx context.Context, p store.Person, before time.Time) error {
	p, err := a.person(ctx, p.OwnerID, p.Email)
	if err != nil {
		return err
	}
	if err := a.store.Rename(ctx, p); err != nil {
		return err
	}
	return a.store.FinishErasure(ctx, p, before)
}

func (a *App) finishAccounts(ctx context.Context) error {
	accounts, err := a.store.DueErasures(ctx, a.Now())
	if err != nil {
		return err
	}
	var faults []error
	for _, id := range accounts {
		err := a.eraseAccount(ctx, Operator, id, a.store.BeginErasure)
		switch mailing.CodeOf(err) {
		case "last_admin": // who has become that meanwhile waits for another
		case "changed_meanwhile": // taken back while others were erased
		default:
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// erasuresAtOnce is how many people one look finishes; the next goes on. Chosen.
const erasuresAtOnce = 1000

// keepErased has those of the addresses not be mailed who were erased. It comes before
// they are stored again, so that no run is opened in between.
func (a *App) keepErased(ctx context.Context, ownerID int64, emails ...string) error {
	any, err := a.store.HasErasures(ctx, ownerID)
	if err != nil || !any {
		return err
	}
	pseudonym, err := a.pseudonyms(ctx)
	if err != nil {
		return err
	}
	for _, email := range emails {
		erased, err := a.store.IsErased(ctx, ownerID, pseudonym(ownerID, email))
		if err != nil {
			return err
		}
		if !erased {
			continue
		}
		if err := a.store.SuppressErased(ctx, ownerID, email, a.Now()); err != nil {
			return err
		}
	}
	return nil
}

// isErased reports whether the owner has had the address erased.
func (a *App) isErased(ctx context.Context, ownerID int64, email string) (bool, error) {
	any, err := a.store.HasErasures(ctx, ownerID)
	if err != nil || !any {
		return false, err
	}
	p, err := a.person(ctx, ownerID, email)
	if err != nil {
		return false, err
	}
	return a.store.IsErased(ctx, ownerID, p.Pseudonym)
}
