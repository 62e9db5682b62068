package server

import (
	"context"

	"vestnik/internal/app"
	"vestnik/internal/auth"
	"vestnik/internal/mailing"
)

// RotateKey makes a new secret, by which everything is signed and sealed from now on, and
// seals anew what is sealed by the one before. That one is kept: links that were mailed
// go on to work. Nodes with the same file follow by themselves.
//
// Where the secret is a setting, whoever sets it puts the new one in its place and the
// old one beside it; then this only seals anew.
func (b *Base) RotateKey(ctx context.Context) (app.Resealed, error) {
	there, err := b.Store.KeyCheck(ctx)
	if err != nil {
		return app.Resealed{}, err
	}
	_, done := app.CheckKey(b.keyring, there)
	switch {
	case done && b.Config.SecretKey != "":
		return app.Resealed{}, mailing.Fault(mailing.Conflict, "key_is_setting")
	case done: // else one that broke off after the first step is finished
		if err := auth.AddSecret(b.Config.SecretFile()); err != nil {
			return app.Resealed{}, err
		}
		b.keyring.Renew()
	}
	return b.App.ResealAll(ctx, app.Operator)
}

// DropOldKeys forgets all secrets but the one in force and returns how many those were.
// Links that they signed work no more. What nodes have sealed by them since the last
// rotation is sealed anew first.
func (b *Base) DropOldKeys(ctx context.Context) (int, error) {
	if b.Config.SecretKey != "" {
		return 0, mailing.Fault(mailing.Conflict, "key_is_setting")
	}
	if b.keyring.Secrets() == 1 {
		return 0, nil
	}
	if _, err := b.App.ResealAll(ctx, app.Operator); err != nil {
		return 0, err
	}
	dropped, err := auth.DropSecrets(b.Config.SecretFile())
	b.keyring.Renew()
	return dropped, err
}

// Secrets is how many secrets there are, the one in force included.
func (b *Base) Secrets() int { return b.keyring.Secrets() }
