package compose

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"vestnik/internal/mailing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name, subject, body string
		format              mailing.Format
		want                string // the problems, as text
	}{
		{"a good message has no problems", "Привет, {{ first_name }}", "# Текст", mailing.FormatMarkdown, ""},
		{"a subject of 255 characters is not too long", strings.Repeat("я", 255), "b", mailing.FormatText, ""},
		{"a subject of 256 characters is", strings.Repeat("я", 256), "b", mailing.FormatText, "subject: subject_too_long"},
		{"a subject with a line break is refused", "a\nBcc: b@example.com", "b", mailing.FormatText, "subject: subject_line_break"},
		{"a subject with a carriage return is refused", "a\rb", "b", mailing.FormatText, "subject: subject_line_break"},
		{"a subject with a Unicode line break is refused", "a\u2028b", "b", mailing.FormatText, "subject: subject_line_break"},
		{"a subject of spaces is empty", "  ", "b", mailing.FormatText, "subject: subject_empty"},
		{"both fields are checked", "", " ", mailing.FormatHTML, "subject: subject_empty; body: body_empty"},
		{"a body of 2 MB is too large", "s", strings.Repeat("x", 2<<20), mailing.FormatText, "body: body_too_large"},
		{"a body of 1 MB is not", "s", strings.Repeat("x", 1<<20), mailing.FormatText, ""},
		{"NUL is refused", "a\x00", "b\x00", mailing.FormatText, "subject: text_nul; body: text_nul"},
		{"what is no UTF-8 is refused", "a\xff", "\xd0", mailing.FormatText, "subject: text_not_utf8; body: text_not_utf8"},
		{"an unknown format is refused", "s", "b", "rtf", "format: format_unknown"},
		{"faults of merge fields name the field", "{{ a", "{% if %}", mailing.FormatHTML, "subject: liquid_unclosed; body: liquid_syntax"},
		{"a tag in a link definition is refused", "s", "[a]: https://x.example/{% if b %}\n[a] [a]{% endif %}", mailing.FormatMarkdown, "body: liquid_misplaced"},
		{"Markdown that would take for ever is refused", "s", strings.Repeat("[a](", 100_000), mailing.FormatMarkdown, "body: markdown_too_complex"},
		{"Markdown with endless tables is refused", "s", strings.Repeat("|a|\n|-|\n", 100_000), mailing.FormatMarkdown, "body: markdown_too_complex"},
		{"Markdown with lists in lists without end is refused", "s", strings.Repeat("1. ", 10_000), mailing.FormatMarkdown, "body: markdown_too_complex"},
		{"Markdown with emphasis without end is refused", "s", strings.Repeat("*a_ ", 100_000), mailing.FormatMarkdown, "body: markdown_too_complex"},
		{"also over the lines of a quotation", "s", strings.Repeat("> *a_ b\n", 100_000), mailing.FormatMarkdown, "body: markdown_too_complex"},
		{"a long list with bold words is not", "s", strings.Repeat("- **a** and *b*\n", 2000), mailing.FormatMarkdown, ""},
		{"a loop without end is refused", "s", "{% for i in (1..100000000) %}x{% endfor %}", mailing.FormatText, "body: liquid_too_long"},
		{"a line of dots or dashes is no nesting", "s", strings.Repeat(".", 60) + " 5 ₽\n" + strings.Repeat("-", 60) + " cut\n" + strings.Repeat("- ", 40), mailing.FormatMarkdown, ""},
		{"an unknown filter is found in Markdown", "s", "# {{ a | shout }}", mailing.FormatMarkdown, "body: liquid_unknown_filter"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Check(c.subject, c.body, c.format)
			got := ""
			if err != nil {
				got = err.Error()
			}
			var problems mailing.Problems
			if got != c.want || err != nil && !errors.As(err, &problems) {
				t.Errorf("Check = %q (%T); want %q as Problems", got, err, c.want)
			}
		})
	}
}

func TestFaultsKeepTheLineOfTheSource(t *testing.T) {
	err := Check("s", "# a\r\n\r\nb\r\n{{ c | shout }}", mailing.FormatMarkdown)
	var problems mailing.Problems
	if !errors.As(err, &problems) || problems[0].Params["line"] != 4 || problems[0].Params["filter"] != "shout" {
		t.Errorf("Check = %v; want filter shout in line 4", err)
	}
}

func TestCompileChecksTheSender(t *testing.T) {
	source := someSource(mailing.FormatText, "s", "b")
	source.From.Email, source.ReplyTo.Email, source.ListID = "news@", "a b@example.com", "x y"
	_, err := Compile(source)
	if want := "from: email_invalid; reply_to: email_invalid; list_id: list_id_invalid"; err == nil || err.Error() != want {
		t.Errorf("Compile = %v; want %s", err, want)
	}
}

func TestWarningsNameUnknownVariables(t *testing.T) {
	got := Warnings("{{ first_name }}{{ nick }}", "{{ email }}\n{{ city.name }}{{ city.zip }}{% assign x = 1 %}{{ x }}", Known()...)
	if len(got) != 2 || got.Error() != "subject: variable_unknown; body: variable_unknown" ||
		got[1].Params["name"] != "city.name" || got[1].Params["line"] != 2 {
		t.Errorf("Warnings = %v", got)
	}
	if got := Warnings("{{ broken", "{{ email }}", Known()...); len(got) != 0 {
		t.Errorf("Warnings of what does not compile = %v; want none", got)
	}
}

func TestVariablesOfATemplate(t *testing.T) {
	tmpl := mustCompile(t, someSource(mailing.FormatMarkdown, "{{ nick }}", "{{ city.name }} {{ email }}"))
	if got, want := tmpl.Variables(), []string{"city", "email", "nick", "unsubscribe_url"}; !slices.Equal(got, want) {
		t.Errorf("Variables = %v; want %v", got, want)
	}
}

func TestMarkdownLeavesMergeFieldsAlone(t *testing.T) {
	for _, c := range []struct{ name, body, html, text string }{
		{"quotes in a field", `{{ nobody | default: "a & b" }}`, "a &amp; b", "a & b"},
		{"a field in emphasis", `**{{ first_name }}**_x_`, "<strong>Анна</strong>", "Аннаx"},
		{"a field in a link", `[x]({{ unsubscribe_url }})`, `<a href="` + longURL + `">x</a>`, "x (" + longURL + ")"},
		{"a field in code", "`{{ first_name }}`", ">Анна</code>", "Анна"},
		{"underscores in names", "{{ first_name }} {{ last_name }}", "Анна Щербакова", "Анна Щербакова"},
		{"a tag on a line of its own", "a\n{% if nobody %}\nb\n{% endif %}\nc", "a</p>\n\n<p style=\"margin:0 0 16px\">c", "a\n\nc"},
		{"a tag in a block of code", "```\n{% if email %}\nx\n{% endif %}\n```", "<code>\nx\n\n</code>", "x"},
		{"HTML in Markdown", "<b title=\"{{ comment }}\">x</b>", `<b title="любит &lt;кофе&gt; &amp; чай">x</b>`, "x"},
		{"what looks like a mark", "vqzaq {{ first_name }} v&#113;zxaq", "vqzaq Анна vqzxaq", "vqzaq Анна vqzxaq"},
		{"a field in a bare link", "https://example.com/{{ email }}", ">https://example.com/anna@почта.рф</a>", "https://example.com/anna@почта.рф"},
		{"a tag in a bare link", "https://example.{% if email %}com{% endif %}", "https://example.com", "https://example.com"},
		{"a tag in a link", "[a](https://example.com/{% if email %}b{% endif %})", `href="https://example.com/b"`, "a (https://example.com/b)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, html, text, err := mustCompile(t, someSource(mailing.FormatMarkdown, "s", c.body)).Preview(someRecipient())
			if err != nil || !strings.Contains(html, c.html) || !strings.HasPrefix(text, c.text) {
				t.Errorf("Preview = %v\n%s\n%s\nwant %q and %q", err, html, text, c.html, c.text)
			}
		})
	}
}

func TestHTMLDocuments(t *testing.T) {
	t.Run("a fragment gets a document", func(t *testing.T) {
		_, html, _, err := mustCompile(t, someSource(mailing.FormatHTML, "s", "<p>x</p>")).Preview(someRecipient())
		if err != nil || !strings.HasPrefix(html, "<!doctype html>\n<html lang=\"ru\">") || !strings.HasSuffix(html, "</p>\n\n</body>\n</html>\n") {
			t.Errorf("%v\n%s", err, html)
		}
	})
	t.Run("a document keeps its own, with the footer at the end of its body", func(t *testing.T) {
		_, html, _, err := mustCompile(t, someSource(mailing.FormatHTML, "s", "<HTML><BODY><p>x{{ email }}</p></BODY></HTML>")).Preview(someRecipient())
		if err != nil || !strings.HasPrefix(html, "<HTML><BODY><p>x") || !strings.HasSuffix(html, "Отписаться</a>\n</p>\n</BODY></HTML>") {
			t.Errorf("%v\n%s", err, html)
		}
	})
}

func TestHTMLToText(t *testing.T) {
	for _, c := range []struct{ name, html, want string }{
		{"white space collapses", "<p> a \n b </p>", "a b"},
		{"paragraphs are parted by an empty line", "<p>a</p>\n<p>b</p><div>c</div><div>d</div>", "a\n\nb\n\nc\nd"},
		{"line breaks", "a<br>b<br/><br>c", "a\nb\n\nc"},
		{"elements within a line keep their spaces", "<b>a</b> <i>b</i><u>c</u>", "a bc"},
		{"lists", "<ul><li>a</li><li><p>b</p></li></ul><ol><li>c<ul><li>d</li></ul></li><li>e</li></ol>", "- a\n- b\n\n1. c\n  - d\n2. e"},
		{"tables", "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", "a | b\n1 | 2"},
		{"links show where they lead", `<a href="https://x.example/">x</a>, <a href="mailto:a@b.c">a@b.c</a> <a href="#top">up</a>`, "x (https://x.example/), a@b.c up"},
		{"pictures show their text", `<img src="x" alt="cat &amp; dog"><img src="y">`, "cat & dog"},
		{"a picture that is a link", `<a href="https://x.example/"><img src="x"></a>`, "https://x.example/"},
		{"entities", "a &lt;b&gt; &amp;amp; &copy;", "a <b> &amp; ©"},
		{"what is not shown", "<head><title>t</title><style>p{}</style></head><script>x</script><!-- c -->a", "a"},
		{"preformatted text keeps its lines", "<pre>a\n  b\n\nc</pre>", "a\n  b\n\nc"},
		{"quotations", "<blockquote><p>a</p><p>b</p></blockquote>c", "> a\n\n> b\n\nc"},
		{"a rule", "a<hr>b", "a\n\n----------\n\nb"},
		{"a block left out takes its break along", "<p>a</p>{% if nobody %}<p>b</p>{% endif %}<p>c</p>", "a\n\nc"},
		{"a loop over rows", "<table>{% for i in items limit: 2 %}<tr><td>{{ i }}</td></tr>{% endfor %}</table>", "\nчай\nкофе"},
		{"conditions in attributes", `<p {% if email %}class="a"{% endif %}>b</p><a href="{% if nobody %}x{% else %}y{% endif %}">c</a>`, "b\n\nc (y)"},
		{"half a condition in a link", `<a {% if email %}href="x">a</a>{% else %}href="y">b</a>{% endif %}c`, "ac"},
		{"a tag that does not end", "a{% if email %}b<a x{% endif %}", "ab"},
		{"letters that only meet in the text", "<b>vq</b>zaq{{ first_name }}", "vqzaqАнна"},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := someSource(mailing.FormatHTML, "s", c.html+"{% comment %}{% endcomment %}")
			source.Unsubscribe = false
			_, _, text, err := mustCompile(t, source).Preview(someRecipient())
			if err != nil || text != c.want {
				t.Errorf("text is %q, %v; want %q", text, err, c.want)
			}
		})
	}
}
