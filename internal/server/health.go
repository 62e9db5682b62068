package server

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/config"
	"vestnik/internal/store"
)

// checkups look after what is no matter of the database's. Each further part of an
// installation adds a line.
func (b *Base) checkups() []app.Checkup {
	return []app.Checkup{b.diskVitals, b.cacheVitals}
}

// Room on the disk that is worth a look, and that is too little: the journal and
// SQLite's log grow by as much in a busy hour. Chosen.
const (
	lowRoom  = 2 << 30
	lastRoom = 256 << 20
)

func (b *Base) diskVitals(context.Context) []app.Vital {
	free, all, err := diskFree(b.Config.DataDir)
	if err != nil {
		return app.Failed("disk", err)
	}
	v := app.Vital{Part: "disk", Condition: app.Good, Says: "free", With: map[string]any{
		"free": app.Bytes(free), "all": app.Bytes(all), "folder": b.Config.DataDir,
	}}
	switch {
	case free < lastRoom:
		v.Condition = app.Bad
	case free < lowRoom:
		v.Condition = app.Attention
	}
	return []app.Vital{v}
}

// given are the settings of this process for their page.
func given(c config.Config) []app.GivenSetting {
	var list []app.GivenSetting
	for _, row := range c.Explain() {
		list = append(list, app.GivenSetting{
			Name: row.Name, Flag: row.Flag, Value: row.Value, Default: row.Default, Unit: row.Unit,
			Source: string(row.Source), Meaning: row.Meaning,
		})
	}
	return list
}

// serviceAlive is how long a service counts as alive after it has checked in: as long
// as a node does.
const serviceAlive = 6 * checkInEvery

// service is this process, as others see it.
func (b *Base) service(version string) store.Service {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	var roles []string
	for _, role := range b.Config.Roles {
		roles = append(roles, string(role))
	}
	return store.Service{
		ID: strconv.FormatInt(store.NewID(), 36), Host: host, Roles: strings.Join(roles, ","), Version: version, StartedAt: time.Now(),
	}
}
