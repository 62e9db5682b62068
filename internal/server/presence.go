package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/store"
)

// checkInEvery is how old a copy of the database is at least that is noticed when
// it is put in place of the original after a kill; after a stop, none is too young.
// Chosen: as often as a node keeps its leases alive, so that an idle disk is not
// woken more often than it is.
const checkInEvery = 5 * time.Second

// presence tells the database that a service works on it, and remembers in the data
// folder what the database knew of then. A database that has been elsewhere, or has
// forgotten, was restored; the ledger holds it then.
type presence struct {
	base *Base
	file string
	last store.Sighting
	held bool // at the last look
	self store.Service
}

// arrive checks in for the first time, before anything is opened or sent.
func (b *Base) arrive(ctx context.Context, version string) (*presence, error) {
	p := &presence{base: b, file: filepath.Join(b.Config.DataDir, "seen"), self: b.service(version)}
	var err error
	if p.last, err = readSighting(p.file); err != nil {
		return nil, err
	}
	return p, p.checkIn(ctx)
}

// keep checks in again and again until ctx ends.
func (p *presence) keep(ctx context.Context) {
	tick := time.NewTicker(checkInEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := p.checkIn(ctx); err != nil && ctx.Err() == nil {
			p.base.Log.Error("service cannot check in with the database", "error", err)
		}
	}
}

// leave checks in for the last time, when everything is settled.
func (p *presence) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), checkInEvery)
	defer cancel()
	if err := p.checkIn(ctx); err != nil {
		p.base.Log.Warn("service cannot check in with the database", "error", err)
	}
	if err := p.base.Store.DeleteService(ctx, p.self.ID, time.Now()); err != nil {
		p.base.Log.Warn("service cannot say that it leaves", "error", err)
	}
}

func (p *presence) checkIn(ctx context.Context) error {
	home, err := p.base.Store.Home(ctx)
	if err != nil {
		return err
	}
	seen, hold, err := p.base.Store.CheckIn(ctx, home, p.last, time.Now())
	if err != nil {
		return err
	}
	p.last = seen
	if hold.On() && !p.held {
		p.base.Log.Warn("the database was restored or moved: nothing that is open or due is sent until a person decides",
			"why", hold.Why, "knows_until", hold.From, "page", p.base.Config.BaseURL+"/hold", "command", "vestnik hold show")
	}
	if !hold.On() && p.held {
		p.base.Log.Info("the hold is over")
	}
	p.held = hold.On()
	p.self.AliveUntil = time.Now().Add(serviceAlive)
	if err := p.base.Store.PutService(ctx, p.self); err != nil {
		return err
	}
	return writeSighting(p.file, seen)
}

// readSighting returns what was remembered; nothing for a file that is not there,
// or that a power failure has left without its text.
func readSighting(file string) (store.Sighting, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return store.Sighting{}, nil
	}
	if err != nil {
		return store.Sighting{}, fmt.Errorf("server: remember the database: %w", err)
	}
	instance, rest, _ := strings.Cut(string(text), "\n")
	millis, whole := strings.CutSuffix(rest, "\n")
	at, err := strconv.ParseInt(millis, 10, 64)
	if err != nil || !whole {
		return store.Sighting{}, nil
	}
	return store.Sighting{Instance: instance, At: time.UnixMilli(at)}, nil
}

// writeSighting puts the file in place of the one before. It is not forced to disk:
// one that is older than the database says too little, and nothing that is wrong.
func writeSighting(file string, seen store.Sighting) error {
	fresh := file + "." + strconv.Itoa(os.Getpid())
	text := fmt.Sprintf("%s\n%d\n", seen.Instance, seen.At.UnixMilli())
	err := os.WriteFile(fresh, []byte(text), 0o600)
	if err == nil {
		err = os.Rename(fresh, file)
	}
	if err != nil {
		return fmt.Errorf("server: remember the database: %w", err)
	}
	return nil
}
