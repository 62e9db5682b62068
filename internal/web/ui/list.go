package ui

import (
	"net/url"
	"strconv"
	"strings"
)

// The names of a list's state in its address.
const (
	SearchParam = "q"
	SortParam   = "sort" // a Column's Key, with "-" before it for descending
	PageParam   = "page" // from 1
)

// List is the state of a list, all of which stands in its address.
type List struct {
	Path    string     // without a query
	Query   url.Values // as it came, with the filters of the page
	PerPage int
	Total   int      // how many there are with this search and these filters
	Picked  []string // the Picks of the columns that a person wants to see; nil: those that are not Off
}

// Search is what is searched for.
func (l List) Search() string { return l.Query.Get(SearchParam) }

// Sort is the Key of the column that is sorted by, "" for the page's own order,
// and whether it descends.
func (l List) Sort() (key string, descending bool) {
	key, descending = strings.CutPrefix(l.Query.Get(SortParam), "-")
	return key, descending
}

// Page is the number of the page, from 1 to Pages whatever the address says.
func (l List) Page() int {
	n, err := strconv.Atoi(l.Query.Get(PageParam))
	if err != nil {
		return 1
	}
	return min(max(n, 1), l.Pages())
}

// Pages is how many pages there are, one at least.
func (l List) Pages() int {
	perPage := max(l.PerPage, 1)
	return max((l.Total+perPage-1)/perPage, 1)
}

// Offset is how many items stand before the page.
func (l List) Offset() int { return (l.Page() - 1) * l.PerPage }

// first and last are the numbers of the items on the page, counted from 1.
func (l List) first() int { return min(l.Offset()+1, l.Total) }
func (l List) last() int  { return min(l.Offset()+l.PerPage, l.Total) }

// PageURL is the address of another page of the list.
func (l List) PageURL(page int) string {
	return l.with(func(q url.Values) {
		q.Del(PageParam)
		if page > 1 {
			q.Set(PageParam, strconv.Itoa(page))
		}
	})
}

// SortURL is the address of the list sorted by a column: ascending first, then
// descending, then in the page's own order again.
func (l List) SortURL(key string) string {
	return l.with(func(q url.Values) {
		q.Del(PageParam)
		q.Del(SortParam)
		switch now, descending := l.Sort(); {
		case now != key:
			q.Set(SortParam, key)
		case !descending:
			q.Set(SortParam, "-"+key)
		}
	})
}

// FilterURL is the address of the first page with a filter set to value, or
// without that filter when value is empty.
func (l List) FilterURL(name, value string) string {
	return l.with(func(q url.Values) {
		q.Del(PageParam)
		q.Del(name)
		if value != "" {
			q.Set(name, value)
		}
	})
}

// with returns the address with a change to a copy of the query.
func (l List) with(change func(url.Values)) string {
	query := url.Values{}
	for name, values := range l.Query {
		query[name] = values
	}
	change(query)
	if len(query) == 0 {
		return l.Path
	}
	return l.Path + "?" + query.Encode()
}

// ariaSort says how a column is sorted, "" when it is not.
func (l List) ariaSort(column Column) string {
	key, descending := l.Sort()
	switch {
	case column.Key == "" || key != column.Key:
		return ""
	case descending:
		return "descending"
	}
	return "ascending"
}

// Column is one column of a Table.
type Column struct {
	Title   string
	Key     string // by which it sorts; "" when it does not
	Numeric bool   // numbers stand at the right edge
	Unseen  bool   // the title is for screen readers only, as above buttons
	Spare   bool   // left out where a table has not quite room for all; its cells are SpareCells
	Pick    string // by which a person may leave it out; "" for one that is always there
	Off     bool   // left out until it is picked
}

// Table is a table of one page of a List.
type Table struct {
	Caption string // for screen readers
	Columns []Column
	List    List
	Bulk    string // id of the BulkBar whose form the checkboxes belong to; "" for no checkboxes
}

// turn is a step from one page of a list to another.
type turn struct {
	list  List
	page  int
	there bool
	label string
}
