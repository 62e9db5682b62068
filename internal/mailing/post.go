package mailing

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Post is an article of the blog.
type Post struct {
	ID          int64
	Slug        string // its name in addresses, which it keeps for ever
	Title       string
	Body        string    // Markdown
	Lead        string    // how the Body begins, as plain text
	Cover       string    // the Hash of a picture; may be empty
	AuthorID    int64     // 0: whose account is gone
	PublishedAt time.Time // zero: a draft; later than now: it will be
	Views       int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// PostState says who can read a post.
type PostState string

// The states of posts.
const (
	PostDraft     PostState = "draft"
	PostScheduled PostState = "scheduled" // published from a later moment on
	PostPublished PostState = "published"
)

// State returns the state at a moment.
func (p Post) State(now time.Time) PostState {
	switch {
	case p.PublishedAt.IsZero():
		return PostDraft
	case p.PublishedAt.After(now):
		return PostScheduled
	}
	return PostPublished
}

// The limits of a post, in characters. Chosen: the text is that of a short novel.
const (
	MaxPostTitle = 200
	MaxPostBody  = 200_000
	maxSlug      = 80
)

// Check returns what is wrong with the words of a post.
func (p Post) Check() error {
	var problems Problems
	if p.Title == "" {
		problems.Add("title", "required")
	}
	tooLong(&problems, "title", p.Title, MaxPostTitle)
	if strings.TrimSpace(p.Body) == "" {
		problems.Add("body", "required")
	}
	tooLong(&problems, "body", p.Body, MaxPostBody)
	return problems.Err()
}

// Slug makes a title into a name for addresses: words of "a" to "z" and digits,
// joined by hyphens. Cyrillic letters are written as on maps (BGN/PCGN 1947, without its
// marks), accents are dropped. Of a title without any letter it is "post".
func Slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(norm.NFKC.String(title)) {
		switch latin, known := cyrillic[r]; {
		case known:
			b.WriteString(latin)
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteString(withoutAccents(r))
		case r != '\'' && r != '’':
			b.WriteByte(' ')
		}
	}
	slug := ""
	for _, word := range strings.Fields(b.String()) {
		longer := strings.TrimPrefix(slug+"-"+word, "-")
		if slug != "" && len(longer) > maxSlug {
			break
		}
		slug = longer[:min(len(longer), maxSlug)]
	}
	if slug == "" {
		return "post"
	}
	return slug
}

// withoutAccents is what is left of a letter in ASCII; nothing of other scripts.
func withoutAccents(r rune) string {
	if latin, known := otherLatin[r]; known {
		return latin
	}
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf {
			return r
		}
		return -1
	}, norm.NFKD.String(string(r)))
}

var cyrillic = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ё': "e", 'ж': "zh", 'з': "z", 'и': "i", 'й': "y",
	'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f",
	'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "", 'ы': "y", 'ь': "", 'э': "e", 'ю': "yu", 'я': "ya",
	'і': "i", 'ї': "yi", 'є': "ye", 'ґ': "g", 'ў': "u", 'ј': "j", 'љ': "lj", 'њ': "nj", 'ћ': "c", 'ђ': "d", 'џ': "dz",
}

var otherLatin = map[rune]string{'ß': "ss", 'æ': "ae", 'ø': "o", 'œ': "oe", 'đ': "d", 'ł': "l", 'þ': "th", 'ð': "d", 'ı': "i"}
