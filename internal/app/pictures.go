package app

import (
	"context"
	"io"

	"vestnik/internal/mailing"
	"vestnik/internal/picture"
	"vestnik/internal/store"
)

// PictureBudget is how many pictures a person may upload an hour: more than anybody
// needs for an article, too few to fill the database.
const PictureBudget = 100

// MaxPictureBytes is how large a file with a picture may be.
const MaxPictureBytes = picture.MaxBytes

// Picture returns a picture's type and data in one of its sizes. Anybody may see one
// who knows its name, which cannot be guessed.
func (a *App) Picture(ctx context.Context, hash string, small bool) (kind string, data []byte, err error) {
	if small {
		return a.store.SmallPicture(ctx, hash)
	}
	return a.store.LargePicture(ctx, hash)
}

// takePicture makes a file that the actor uploaded into a picture.
func (a *App) takePicture(ctx context.Context, actor mailing.Account, file io.Reader, form picture.Form) (store.Picture, error) {
	ok, err := a.store.Spend(ctx, "picture:"+actor.Email, PictureBudget, budgetHour, a.Now())
	if err != nil {
		return store.Picture{}, wrap(err, "take picture")
	}
	if !ok {
		return store.Picture{}, mailing.Fault(mailing.Limited, "too_many_requests")
	}
	p, err := a.intake.Take(ctx, file, form)
	return store.Picture{
		Hash: p.Hash, Type: p.Type, Width: int64(p.Width), Height: int64(p.Height), Small: p.Small, Large: p.Large,
	}, wrap(err, "take picture")
}

// MaxAccountPictures is how many pictures a person's messages may show in all: some
// years of newsletters, at 50 to 200 KB a picture. Chosen.
const MaxAccountPictures = 2000

// AddMessagePicture keeps a picture for the actor's messages, and returns its Hash. It stays
// as long as the account: mails that went out show it.
func (a *App) AddMessagePicture(ctx context.Context, actor mailing.Account, file io.Reader) (hash string, err error) {
	there, err := a.store.AccountPictures(ctx, actor.ID)
	if err != nil {
		return "", err
	}
	if len(there) >= MaxAccountPictures {
		return "", mailing.Fault(mailing.Limited, "pictures_too_many", "max", MaxAccountPictures)
	}
	p, err := a.takePicture(ctx, actor, file, picture.Mail)
	if err != nil {
		return "", err
	}
	d := mailing.Deed{Action: "picture.add", Thing: mailing.Thing{Kind: mailing.ThingPicture, Name: p.Hash}, Owner: actor.ID}
	return p.Hash, wrap(a.store.PutAccountPicture(a.doing(ctx, actor, d), actor.ID, p, a.Now()), "add picture")
}

// SetAvatar makes a file into the actor's face.
func (a *App) SetAvatar(ctx context.Context, actor mailing.Account, file io.Reader) error {
	p, err := a.takePicture(ctx, actor, file, picture.Avatar)
	if err != nil {
		return err
	}
	return a.putAvatar(ctx, actor, p)
}

// RemoveAvatar takes the actor's face away.
func (a *App) RemoveAvatar(ctx context.Context, actor mailing.Account) error {
	return a.putAvatar(ctx, actor, store.Picture{})
}

func (a *App) putAvatar(ctx context.Context, actor mailing.Account, p store.Picture) error {
	if p.Hash == actor.Avatar {
		return nil
	}
	ctx = a.doing(ctx, actor, mailing.Deed{
		Action: "account.update", Thing: accountThing(actor), Owner: actor.ID,
		Before: mailing.Facts{"avatar": actor.Avatar}, After: mailing.Facts{"avatar": p.Hash},
	})
	return wrap(a.store.SetAvatar(ctx, actor.ID, p, a.Now()), "set avatar")
}
