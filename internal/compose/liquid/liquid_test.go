package liquid

import (
	"errors"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
)

// testVars answers from a map.
type testVars map[string]any

func (v testVars) Lookup(name string) any { return v[name] }

// textSink joins all that a template renders.
type textSink struct {
	t   *Template
	out strings.Builder
}

func (s *textSink) Static(index int)       { s.out.WriteString(s.t.Statics()[index]) }
func (s *textSink) Dynamic(dynamic string) { s.out.WriteString(dynamic) }

var (
	someDay  = time.Date(2026, 11, 3, 7, 5, 9, 0, time.FixedZone("MSK", 3*60*60))
	someVars = testVars{
		"first_name": "Анна", "empty_name": "", "blank_name": "  ", "age": 30, "price": 12.5, "code": "042", "yes": true, "no": false,
		"evil": `<script>"'&`, "js": "JavaScript:alert(1)", "lines": "a\r\nb\nc", "spaced": "  x  ",
		"items": []any{"a", "b", "c"}, "names": []string{"x", "y"}, "nothing": []any{},
		"mailing":  map[string]any{"name": "Новости", "tags": []any{"t1"}},
		"when":     someDay,
		"internal": struct{ Secret string }{"s3cret"},
	}
)

func render(source string, vars Vars, o Options) (string, error) {
	t, err := Compile(source, o)
	if err != nil {
		return "", err
	}
	sink := &textSink{t: t}
	err = t.Render(vars, someDay, sink)
	return sink.out.String(), err
}

func TestRender(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"text without fields stays as it is", "a { b } % c", "a { b } % c"},
		{"a variable is shown", "Привет, {{ first_name }}!", "Привет, Анна!"},
		{"a variable that is not there is nothing", "[{{ nobody }}{{ a.b.c }}{{ items[9] }}]", "[]"},
		{"default stands in for what is empty", "{{ empty_name | default: 'друг' }}{{ blank_name | default: \"x\" }}{{ nobody | default: 1 }}", "другx1"},
		{"default leaves what is there", "{{ first_name | default: 'друг' }}", "Анна"},
		{"filters go from left to right", "{{ first_name | append: ' b' | upcase | prepend: '>' }}", ">АННА B"},
		{"capitalize and downcase know Cyrillic", "{{ 'пРИВЕТ' | capitalize }} {{ 'ПОКА' | downcase }}", "Привет пока"},
		{"truncate counts characters and the ellipsis", "{{ 'абвгдежз' | truncate: 5 }}|{{ 'абв' | truncate: 3 }}|{{ 'абвгд' | truncate: 3, '…' }}", "аб...|абв|аб…"},
		{"replace and strip", "{{ 'a-b-c' | replace: '-', '+' }}{{ spaced | strip }}{{ 'abc' | replace: 'b' }}", "a+b+cxac"},
		{"url_encode", "{{ 'a b&я' | url_encode }}", "a+b%26%D1%8F"},
		{"newline_to_br is a line break in plain text", "{{ lines | newline_to_br }}", "a\nb\nc"},
		{"escape changes nothing in plain text", "{{ evil | escape }}", `<script>"'&`},
		{"whole numbers stay whole", "{{ age | plus: 1 }} {{ 7 | divided_by: 2 }} {{ -7 | modulo: 3 }} {{ code | times: 2 }}", "31 3 2 84"},
		{"points are kept", "{{ price | times: 2 }} {{ 7 | divided_by: 2.0 }} {{ 3.14159 | round: 2 }} {{ 2.5 | ceil }} {{ 2.5 | floor }} {{ -4 | abs }}", "25 3.5 3.14 3 2 4"},
		{"division by zero is nothing", "[{{ 1 | divided_by: 0 }}{{ 1 | modulo: 0 }}{{ 1.5 | divided_by: 0 }}]", "[]"},
		{"size, first, last and join", "{{ items | size }}{{ items.size }}{{ items.first }}{{ items | last }}{{ items | join: ', ' }}{{ 'мир' | size }}", "33aca, b, c3"},
		{"paths and indexes", "{{ mailing.name }} {{ mailing['name'] }} {{ items[1] }} {{ items[-1] }} {{ mailing.tags[0] }}", "Новости Новости b c t1"},
		{"if, elsif and else", "{% if age < 18 %}a{% elsif age < 65 %}b{% else %}c{% endif %}", "b"},
		{"unless", "{% unless no %}a{% else %}b{% endunless %}", "a"},
		{"a text that is a number compares as one", "{% if code == 42 and code > 41 and code <= 42 %}yes{% endif %}", "yes"},
		{"conditions are read from the right", "{% if yes or no and no %}a{% endif %}{% if no and no or yes %}b{% endif %}", "a"},
		{"blank, empty and nil", "{% if blank_name == blank %}a{% endif %}{% if nothing == empty %}b{% endif %}{% if nobody == nil %}c{% endif %}{% if first_name != blank %}d{% endif %}", "abcd"},
		{"contains looks into texts and lists", "{% if first_name contains 'нн' %}a{% endif %}{% if items contains 'b' %}b{% endif %}{% if items contains 'z' %}c{% endif %}", "ab"},
		{"what cannot be compared is not less", "{% if items < 3 %}a{% endif %}{% if nobody > 1 %}b{% endif %}{% if items == items %}c{% endif %}", ""},
		{"case and when", "{% case age %} {% when 1, 2 %}a{% when 30 or 31 %}b{% else %}c{% endcase %}", "b"},
		{"case falls to else", "{% case first_name %}{% when 'x' %}a{% else %}c{% endcase %}", "c"},
		{"for goes through a list", "{% for i in items %}{{ forloop.index }}{{ i }}{% unless forloop.last %},{% endunless %}{% endfor %}", "1a,2b,3c"},
		{"for with limit, offset and reversed", "{% for i in items limit:2 offset:1 reversed %}{{ i }}{% endfor %}", "cb"},
		{"for through a range", "{% for i in (1..3) %}{{ i }}{% endfor %}{% for i in (3..1) %}x{% else %}none{% endfor %}", "123none"},
		{"for through nothing", "{% for i in nobody %}x{% else %}none{% endfor %}{% for i in names %}{{ i }}{% endfor %}", "nonexy"},
		{"the inner loop's variable hides the outer", "{% for i in (1..2) %}{% for i in items %}{{ i }}{% endfor %}{{ i }}{% endfor %}", "abc1abc2"},
		{"assign", "{% assign n = age | plus: 5 %}{{ n }}{% assign n = 'x' %}{{ n }}", "35x"},
		{"comments are gone, of both kinds", "a{% comment %}{{ broken {% endcomment %}{% # too %}b", "ab"},
		{"raw stays as it is", "{% raw %}{{ a }}{% if %}{% endraw %}", "{{ a }}{% if %}"},
		{"white space control", "a  {%- if yes -%}  b  {%- endif -%}  c {{- ' ' -}} d", "abc d"},
		{"dates", "{{ when | date: '%d.%m.%Y %H:%M' }} {{ '2026-01-05' | date: '%-d %B %y %a' }} {{ 'now' | date: '%j' }} {{ when | date: '%e|%-z|%Q|%%|%-I %p' }}", "03.11.2026 07:05 5 January 26 Mon 307  3|+0300|%Q|%|7 AM"},
		{"what is no date stays", "{{ 'soon' | date: '%Y' }}", "soon"},
		{"Go values are out of reach", "[{{ internal }}{{ internal.Secret }}{{ when.Year }}]", "[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := render(c.source, someVars, Options{})
			if err != nil || got != c.want {
				t.Errorf("render(%q) = %q, %v; want %q", c.source, got, err, c.want)
			}
		})
	}
}

func TestRussianDates(t *testing.T) {
	got, err := render("{{ when | date: '%A, %-d %B (%b, %a)' }}", someVars, Options{Lang: "ru"})
	if want := "вторник, 3 ноября (ноя, вт)"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestEscapesForThePlace(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"text", "<p>{{ evil }}</p>", "<p>&lt;script&gt;&#34;&#39;&amp;</p>"},
		{"text is not escaped twice", "<p>{{ evil | escape }}</p>", "<p>&lt;script&gt;&#34;&#39;&amp;</p>"},
		{"a filter after escape escapes anew", "{{ evil | escape | append: '<' }}", "&lt;script&gt;&#34;&#39;&amp;&lt;"},
		{"line breaks become elements", "{{ lines | newline_to_br }}", "a<br>\nb<br>\nc"},
		{"a quoted value", `<a title="{{ evil }}">`, `<a title="&lt;script&gt;&#34;&#39;&amp;">`},
		{"a value without quotes", `<a title={{ 'x onclick=y' }}>`, `<a title=x&#32;onclick&#61;y>`},
		{"a URL that runs a script", `<a href="{{ js }}">`, `<a href="#">`},
		{"a URL with spaces before its scheme", `<a HREF='{{ js | prepend: "  " }}'>`, `<a HREF='#'>`},
		{"a harmless URL", `<a href="{{ 'https://x.example/?a=1&b=2' }}">`, `<a href="https://x.example/?a=1&amp;b=2">`},
		{"a URL in two pieces", `<a href="{{ 'java' }}{{ 'script:alert(1)' }}">`, `<a href="javascript%3Aalert(1)">`},
		{"the rest of a URL", `<a href="https://x.example/{{ 'a:b' }}">`, `<a href="https://x.example/a:b">`},
		{"an event handler", `<a onclick="f({{ evil }})">`, `<a onclick="f(script)">`},
		{"a style", `<p style="color:{{ '#fff;background:url(x)' }}">`, `<p style="color:#fffbackgroundurlx">`},
		{"a script", `<script>{{ evil }}</script>{{ evil }}`, `<script>script</script>&lt;script&gt;&#34;&#39;&amp;`},
		{"a comment", `<!-- {{ '--><script>' }} -->`, `<!-- --script -->`},
		{"an attribute's name", `<a {{ 'onclick="x"' }}>`, `<a onclickx>`},
		{"branches that agree", `<td{% if yes %} class="a"{% endif %} title="{{ evil }}">`, `<td class="a" title="&lt;script&gt;&#34;&#39;&amp;">`},
		{"branches that begin a URL", `<a href="{% if no %}https://a.example/{% endif %}{{ js }}">`, `<a href="#">`},
		{"branches that disagree", `{% if no %}<a href="{% else %}<b title='{% endif %}{{ evil }}`, `<b title='script`},
		{"a loop whose end is not its start", `{% for i in (1..2) %}<a href="{{ js }}{% endfor %}`, `<a href="JavaScriptalert1<a href="JavaScriptalert1`},
		{"entities within braces", `{% if age &gt; 18 %}{{ nobody | default: &quot;x&quot; }}{% endif %}`, "x"},
		{"less-than in text is no tag", `1 < {{ evil }}`, `1 < &lt;script&gt;&#34;&#39;&amp;`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := render(c.source, someVars, Options{Context: HTML})
			if err != nil || got != c.want {
				t.Errorf("render(%q) = %q, %v; want %q", c.source, got, err, c.want)
			}
		})
	}
}

func TestHeaderValuesStayOnOneLine(t *testing.T) {
	got, err := render("Hi {{ name }}", testVars{"name": "a\r\nBcc: x\u2028y\x00z"}, Options{Context: Header})
	if want := "Hi a  Bcc: x yz"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestFaultsNameTheLine(t *testing.T) {
	deep := strings.Repeat("{% if a %}", MaxDepth+1) + strings.Repeat("{% endif %}", MaxDepth+1)
	for _, c := range []struct {
		name, source, code string
		line               int
	}{
		{"output without an end", "a\n{{ b", "liquid_unclosed", 2},
		{"a tag without an end", "{% if", "liquid_unclosed", 1},
		{"if without endif", "\n\n{% if a %}b", "liquid_unclosed", 3},
		{"else without endif", "{% if a %}b{% else %}", "liquid_unclosed", 1},
		{"for inside if is open", "{% if a %}\n{% for i in b %}{% endif %}", "liquid_unclosed", 2},
		{"raw without end", "{% raw %}{{ a }}", "liquid_unclosed", 1},
		{"comment without end", "x\n{% comment %}", "liquid_unclosed", 2},
		{"an end without a beginning", "a\n{% endif %}", "liquid_syntax", 2},
		{"else twice", "{% if a %}{% else %}\n{% else %}{% endif %}", "liquid_syntax", 2},
		{"an unknown tag", "{% include 'x' %}", "liquid_unknown_tag", 1},
		{"an unknown filter", "a\n{{ b | shout }}", "liquid_unknown_filter", 2},
		{"an empty output", "{{ }}", "liquid_syntax", 1},
		{"a string without an end", "{{ 'a }}", "liquid_syntax", 1},
		{"two variables", "{{ a b }}", "liquid_syntax", 1},
		{"a condition without a side", "{% if a == %}{% endif %}", "liquid_syntax", 1},
		{"too few arguments", "{{ a | append }}", "liquid_syntax", 1},
		{"too many arguments", "{{ a | upcase: 1 }}", "liquid_syntax", 1},
		{"for without in", "{% for a b %}{% endfor %}", "liquid_syntax", 1},
		{"too deep", deep, "liquid_too_deep", 1},
		{"too long", strings.Repeat("x", MaxSource+1), "liquid_too_long", 1},
		{"indexes too deep", "{{ " + strings.Repeat("a[", 50) + "0" + strings.Repeat("]", 50) + " }}", "liquid_syntax", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Compile(c.source, Options{})
			var fault *mailing.Error
			if !errors.As(err, &fault) || fault.Code != c.code || fault.Params["line"] != c.line {
				t.Errorf("Compile = %v (params %v); want %s in line %d", err, fault.Params, c.code, c.line)
			}
		})
	}
}

func TestEveryRenderingEnds(t *testing.T) {
	for _, c := range []struct{ name, source string }{
		{"a loop without end", "\n{% for i in (1..9223372036854775807) %}{% endfor %}"},
		{"a range over all numbers", "\n{% for i in (-9223372036854775808..9223372036854775807) reversed %}x{% endfor %}"},
		{"loops in loops", "\n{% for i in (1..9999) %}{% for j in (1..9999) %}{% endfor %}{% endfor %}"},
		{"a text that doubles", "\n{% assign s = 'xx' %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}"},
		{"a text that is replaced by itself", "\n{% assign s = 'aaaaaaaaaa' %}{% for i in (1..9) %}{% assign s = s | replace: 'a', s %}{% endfor %}"},
		{"a literal shown too often", "\n{% for i in (1..99999) %}" + strings.Repeat("x", 1000) + "{% endfor %}"},
		{"a long text counted too often", "\n{% for i in (1..99999) %}{{ long.size }}{% endfor %}"},
		{"a long text of control characters", "\n{% for i in (1..99999) %}{{ controls }}{% endfor %}"},
		{"a long text searched too often", "\n{% for i in (1..99999) %}{% if long contains 'y' %}{% endif %}{% endfor %}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := render(c.source, testVars{"long": strings.Repeat("x", 1<<16), "controls": strings.Repeat("\x01", 1<<16)}, Options{})
			var fault *mailing.Error
			if !errors.As(err, &fault) || fault.Code != "liquid_too_long" || fault.Params["line"] != 2 {
				t.Errorf("render = %v; want liquid_too_long in line 2", err)
			}
		})
	}
}

func TestVariablesAreThoseFromOutside(t *testing.T) {
	tmpl, err := Compile("{{ a.b }}\n{% for i in list %}{{ i.x }}{{ forloop.index }}{% endfor %}{% assign n = 1 %}{{ n }}{% if c[d] %}{% endif %}", Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range tmpl.Variables() {
		got = append(got, v.Path)
	}
	if want := "a.b list d c"; strings.Join(got, " ") != want || tmpl.Variables()[1].Line != 2 {
		t.Errorf("Variables() = %v; want %s, the second in line 2", tmpl.Variables(), want)
	}
}

func TestLoopsInLoopsDoNotMultiplyTheAnalysis(t *testing.T) {
	source := strings.Repeat(`{% for i in x %}"><a href="`, MaxDepth) + "{{ y }}" + strings.Repeat("{% endfor %}", MaxDepth)
	if _, err := Compile(`<a href="`+source+`">`, Options{Context: HTML}); err != nil {
		t.Fatal(err)
	}
}

func FuzzRender(f *testing.F) {
	for _, seed := range []string{
		"{{ first_name | default: 'друг' }}", "{% for i in (1..5) limit:2 %}{{ i }}{% else %}x{% endfor %}",
		"{% if a == b and c contains 'd' %}{% elsif x %}{% else %}{% endif %}", "{%- raw -%}{{ {%- endraw -%}",
		"{% case a %}{% when 1, 2 %}x{% endcase %}", "{% assign s = s | append: items[-1].x %}{{ s }}",
		"<a href={{ js }} title='{{ evil | newline_to_br }}'><style>{{ evil }}", "{{ when | date: '%-d %B %' }}{{ 1 | divided_by: 0 }}",
		"{{ -9223372036854775808 | divided_by: -1 | abs }}{{ 1.5 | round: 99 }}{{ 'x' | truncate: -5 }}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		for _, o := range []Options{{Context: Plain}, {Context: HTML, Lang: "ru"}, {Context: Header}} {
			out, err := render(source, someVars, o)
			var fault *mailing.Error
			if err != nil && (!errors.As(err, &fault) || fault.Params["line"] == nil) {
				t.Fatalf("render(%q) = %v, which is no fault with a line", source, err)
			}
			if len(out) > MaxBytes {
				t.Fatalf("render(%q) made %d bytes", source, len(out))
			}
		}
	})
}
