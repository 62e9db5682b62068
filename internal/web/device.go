package web

import "strings"

// mark is a word in what browsers say of themselves, and what people call that.
type mark struct{ word, name string }

// Many a browser says that it is another one, too: those that are taken for others come
// first.
var (
	browserMarks = []mark{
		{"YaBrowser/", "Яндекс Браузер"},
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"Vivaldi/", "Vivaldi"},
		{"FxiOS/", "Firefox"},
		{"Firefox/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
		{"curl/", "curl"},
	}
	systemMarks = []mark{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"CrOS", "ChromeOS"},
		{"Windows", "Windows"},
		{"Macintosh", "macOS"},
		{"Linux", "Linux"},
	}
)

// device says in a few words which browser it is and on what it runs, by what it says of
// itself; empty when that tells nothing.
func device(agent string) string {
	browser, system := markedBy(browserMarks, agent), markedBy(systemMarks, agent)
	if browser == "" || system == "" {
		return browser + system
	}
	return browser + " · " + system
}

func markedBy(marks []mark, agent string) string {
	for _, m := range marks {
		if strings.Contains(agent, m.word) {
			return m.name
		}
	}
	return ""
}
