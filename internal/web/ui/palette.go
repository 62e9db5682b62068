package ui

import "strconv"

// PalettePath is where the search is, also without a script. With the field
// PalettePart it answers with the Hits alone, for the palette.
const (
	PalettePath = "/search"
	PalettePart = "part"
)

// Hit is one page that a search leads to.
type Hit struct {
	Label string
	Note  string // may be empty
	Icon  string
	Path  string
}

// HitGroup are the hits of a kind. With a More there may be others there.
type HitGroup struct {
	Title string
	Hits  []Hit
	More  string
}

// groupID is the id of a group's title.
func groupID(group int) string { return "palette-group-" + strconv.Itoa(group) }

// hitID is the id of a hit, by which the field of the palette names the one that Enter
// opens.
func hitID(group, hit int) string {
	return "palette-hit-" + strconv.Itoa(group) + "-" + strconv.Itoa(hit)
}

// countHits is how many there are in all.
func countHits(groups []HitGroup) (n int64) {
	for _, g := range groups {
		n += int64(len(g.Hits))
	}
	return n
}

// shortcut is a key, or keys that are pressed together, and what they do.
type shortcut struct {
	keys []string
	does string
}

func (p Page) shortcuts() []shortcut {
	return []shortcut{
		{[]string{"Ctrl", "K"}, p.T("palette.title")},
		{[]string{"/"}, p.T("shortcuts.search")},
		{[]string{"?"}, p.T("shortcuts.title")},
		{[]string{"↑", "↓"}, p.T("shortcuts.move")},
		{[]string{"Enter"}, p.T("shortcuts.open")},
		{[]string{"Esc"}, p.T("action.close")},
	}
}
