package ui

import (
	"maps"
	"net/url"
	"slices"
)

// ColumnParam holds the Pick of a column that is to be shown, once for each; an empty one
// stands for a choice of none.
const ColumnParam = "col"

// ColumnsAsMade is the value of ColumnParam for the columns as the page has them.
const ColumnsAsMade = "default"

// Shows reports whether the column with the Pick is shown.
func (t Table) Shows(pick string) bool {
	return slices.ContainsFunc(t.shown(), func(c Column) bool { return c.Pick == pick })
}

// shown are the columns that are shown, in their order.
func (t Table) shown() []Column {
	var columns []Column
	for _, c := range t.Columns {
		if c.Pick == "" || t.List.picks(c) {
			columns = append(columns, c)
		}
	}
	return columns
}

// Width is how many columns are shown, with that of the checkboxes.
func (t Table) Width() int {
	width := len(t.shown())
	if t.Bulk != "" {
		width++
	}
	return width
}

// pickable are the columns that a person may leave out.
func (t Table) pickable() []Column {
	return slices.DeleteFunc(slices.Clone(t.Columns), func(c Column) bool { return c.Pick == "" })
}

func (l List) picks(c Column) bool {
	if l.Picked == nil {
		return !c.Off
	}
	return slices.Contains(l.Picked, c.Pick)
}

// elsewhere are the values of the list's address but for the columns and the page, for a
// form that asks for the same list.
func (l List) elsewhere() []Option {
	var fields []Option
	for _, name := range slices.Sorted(maps.Keys(l.Query)) {
		if name == ColumnParam || name == PageParam {
			continue
		}
		for _, value := range l.Query[name] {
			fields = append(fields, Option{Label: name, Value: value})
		}
	}
	return fields
}

// BulkURL is where a bulk action is posted to: it carries the search and the filters, for
// who chooses all that was found.
func (l List) BulkURL(path string) string {
	query := url.Values{}
	for name, values := range l.Query {
		if name != ColumnParam && name != PageParam {
			query[name] = values
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
