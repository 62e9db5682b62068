package main

import (
	"context"
	"strconv"

	"vestnik/internal/app"
	"vestnik/internal/i18n"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
)

// mailingListCommand lists somebody's mailings, or everybody's.
type mailingListCommand struct {
	Owner string `placeholder:"EMAIL"`
	JSON  bool   `name:"json"`
}

// listBatch is how many mailings are read at once. Chosen.
const listBatch = 500

func (c mailingListCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	actor, err := d.actor(ctx, b, c.Owner)
	if err != nil {
		return err
	}
	objects := []mailingJSON{}
	rows := [][]string{d.headings("id", "owner", "subject", "status", "frequency", "next", "last")}
	err = eachMailing(ctx, b, actor, c.Owner == "", func(m mailing.Mailing, owner, subject string) {
		objects = append(objects, mailingOf(m, owner, subject))
		rows = append(rows, []string{
			strconv.FormatInt(m.ID, 10), owner, subject, d.words.T("status." + string(m.Status)),
			d.words.RuleWords(m.Rule),
			d.zoned(m).ShortDateTime(m.NextAt), d.zoned(m).ShortDateTime(m.LastAt),
		})
	})
	switch {
	case err != nil:
		return err
	case c.JSON:
		return d.json(objects)
	case len(objects) == 0:
		d.note("cli.mailing.none")
		return nil
	}
	return d.table(rows)
}

func eachMailing(ctx context.Context, b *server.Base, actor mailing.Account, everyone bool, do func(m mailing.Mailing, owner, subject string)) error {
	for page := (app.Page{Sort: "created", Limit: listBatch}); ; page.Offset += listBatch {
		list, _, err := b.App.Mailings(ctx, actor, app.MailingFilter{Everyone: everyone}, page)
		if err != nil {
			return err
		}
		for _, row := range list {
			do(row.Mailing, row.OwnerEmail, row.Subject)
		}
		if len(list) < listBatch {
			return nil
		}
	}
}

// zoned prints times in the mailing's own zone, in which its owner thinks.
func (d *desk) zoned(m mailing.Mailing) *i18n.Printer {
	zone, err := mailing.LoadZone(m.Rule.Zone)
	if err != nil {
		return d.words
	}
	return d.words.In(zone)
}
