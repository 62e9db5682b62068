package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"vestnik/internal/web/ui"
)

// columnsCookie begins the names of the cookies in which a browser remembers the columns
// of a list.
const columnsCookie = "columns_"

// noColumns is kept for a choice of none: a cookie without a value is no cookie.
const noColumns = "-"

// pickColumns has the list show the columns that the visitor wants: as the address says,
// which the browser then remembers under the name, or as it remembers them.
func (r *request) pickColumns(l *ui.List, name string, columns []ui.Column) {
	asked := l.Query[ui.ColumnParam]
	kept := r.cookie(r.in, columnsCookie+name)
	switch {
	case slices.Contains(asked, ui.ColumnsAsMade):
		l.Query.Del(ui.ColumnParam)
		r.keepFor(columnsCookie+name, "", -time.Second)
	case asked != nil:
		l.Picked = picksOf(columns, asked)
		r.keep(columnsCookie+name, cmp.Or(strings.Join(l.Picked, "."), noColumns))
	case kept != "":
		l.Picked = picksOf(columns, strings.Split(kept, "."))
	}
}

// picksOf are those of the picks that the columns have; never nil.
func picksOf(columns []ui.Column, picks []string) []string {
	known := []string{}
	for _, c := range columns {
		if c.Pick != "" && slices.Contains(picks, c.Pick) {
			known = append(known, c.Pick)
		}
	}
	return known
}
