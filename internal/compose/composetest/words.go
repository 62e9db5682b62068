package composetest

import (
	"bytes"
	"strings"

	"vestnik/internal/compose"
)

// words are what texts, names and subjects consist of. None has braces, which
// would be merge fields.
var words = []string{
	"Здравствуйте", "ёжик", "съешь ещё этих мягких французских булок", "№ 42", "«цитата» — да", "100 ₽",
	"hello", "a=b", "=3D", "=", "100%", "<b>", "&amp;", `"quoted"`, `back\slash`, "comma, semi; colon:", "(comment)", "a@b.example",
	"🎉", "👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1️⃣", "🇷🇺", // with joiners, selectors, skin tones, tags and flags
	"שלום עולם", "\u200fמرحبا\u200f", "مرحبا بالعالم", "\u202bعربي\u202c", "\u2067עברית\u2069 abc", "abc \u200eאבג",
	"你好，世界", "こんにちは", "안녕하세요", "𠀋𡈽", // beyond the basic plane
	"e\u0301le\u0300ve", "й" + "\u0301\u0302\u0303\u0304", "Z̸̡͉a̷l̶g̷o̵", "नमस्ते", "ไทย", "ﬁ ﬀ", "\u00a0nbsp\u00a0", "soft\u00adhyphen", "zero\u200bwidth", "\ufeffbom",
	"=?utf-8?Q?fake?=", "=?utf-8?B?", "?=", "=_", "--", "x_y*z~w", "`code`", "https://example.com/?a=1&b=2",
}

// lineStarts and lineEnds are what servers and programs have tripped over.
var (
	lineStarts = []string{"", "", "", ".", "..", "...", ". ", "From ", ">From ", "From: ", "--", "-- ", "--=_", " ", "\t", "  ", "=", "=2E", "Subject: ", "\u2028", "\v", "\f"}
	lineEnds   = []string{"", "", "", " ", "  ", "\t", " \t ", "=", ".", "\u00a0", "\u3000"}
	repeated   = []string{"x", "слово", "漢", "👩‍👩‍👧", "e\u0301", "=", ".", "\u200f"} // Markdown with marks without end is refused
	breaks     = []string{"\n", "\n", "\n", "\r\n", "\r", "\n\n", "\r\r", "\n.\n", "\r\n.\r\n", "\r.\r", "\n \n", "\n\t\n"}
)

func (m maker) pick(from []string) string { return from[m.IntN(len(from))] }

// words joins n of them, mostly by single spaces.
func (m maker) words(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(m.pick([]string{" ", " ", " ", "  ", "", "   "}))
		}
		b.WriteString(m.pick(words))
	}
	return b.String()
}

// text is some lines, of which a few have a word without end.
func (m maker) text() string {
	var b strings.Builder
	b.WriteString("x") // so that there is something besides white space
	for range m.IntN(30) {
		b.WriteString(m.pick(lineStarts) + m.words(m.IntN(12)))
		if m.IntN(12) == 0 {
			b.WriteString(strings.Repeat(m.pick(repeated), m.IntN(500)))
		}
		b.WriteString(m.pick(lineEnds) + m.pick(breaks))
	}
	b.WriteString("end")
	return b.String()
}

// subject is short, long, or as long as it may be.
func (m maker) subject() string {
	subject := strings.TrimSpace("s " + m.words(m.IntN(8)))
	switch m.IntN(4) {
	case 0:
		subject = m.words(200)
	case 1:
		subject += strings.Repeat("y", m.IntN(300))
	}
	return strings.TrimSpace(string([]rune(subject)[:min(compose.MaxSubject, len([]rune(subject)))]))
}

func (m maker) name() string {
	return strings.Join(strings.Fields(m.pick([]string{
		"", "Анна", "Anna", "O'Brien", `Anna "Ann" B.`, "Smith, John", "王小明", "مريم", "👩‍👧", "a.b@example.com", "Николай Иванович",
		m.words(2), m.words(6), strings.Repeat("Long", 25),
	})), " ")
}

func (m maker) sender() string {
	return m.pick([]string{"news@example.com", "news@почта.рф", strings.Repeat("n", 64) + "@example.com", "news+tag=1@sub.example.com"})
}

func (m maker) recipient() string {
	return m.pick([]string{
		"anna@example.com", "anna.b+news@example.com", "anna@почта.рф", "анна@почта.рф", "用户@例子.广告", "a@" + strings.Repeat("b", 63) + ".example.com",
		"!#$%&'*+-/=?^_`{|}~@example.com", ".a..b.@example.com", `"a..b"@example.com`, strings.Repeat("l", 64) + "@example.com", "info@xn--80a1acny.xn--p1ai",
	})
}

func (m maker) attachments() []compose.Attachment {
	var files []compose.Attachment
	for range m.IntN(3) + 1 {
		files = append(files, compose.Attachment{
			Name: m.pick([]string{
				"report.pdf", "Счёт № 42.pdf", "👩‍👩‍👧.png", "../../etc/passwd", `C:\a\b.txt`, "a\"b\r\nBcc: c", "", "...", "invoice\u202efdp.exe", "名前.txt",
				strings.Repeat("очень длинное имя ", 20) + ".docx", strings.Repeat("x", 300) + ".zip", "a;b=c*d'e%f.txt", "=?utf-8?Q?x?=.txt", m.words(4),
			}),
			Type: m.pick([]string{"application/pdf", "text/plain", "text/csv; charset=koi8-r", "image/png", "message/rfc822", "multipart/mixed", "", "nonsense"}),
			Data: m.octets(),
		})
	}
	return files
}

// octets are the bytes of a file: none, text, or anything.
func (m maker) octets() []byte {
	switch m.IntN(4) {
	case 0:
		return nil
	case 1:
		return []byte(m.text())
	case 2:
		return bytes.Repeat([]byte(".\r\n"), m.IntN(200))
	}
	data := make([]byte, m.IntN(5000))
	for i := range data {
		data[i] = byte(m.Uint32())
	}
	return data
}
