package liquid

import (
	"slices"
	"testing"
)

func TestBare(t *testing.T) {
	for source, want := range map[string][]string{
		"nothing":          nil,
		"{{ first_name }}": {"first_name"},
		"{{ last_name | upcase }}{{ first_name }}{{ last_name }}":                          {"last_name", "first_name"},
		`{{ first_name | default: "друг" | upcase }}`:                                      nil,
		"{{ first_name | default }}":                                                       {"first_name"},
		"{% if first_name %}{{ first_name }}{% endif %}":                                   nil,
		"{% if first_name != blank %}{{ first_name }}{% else %}{{ last_name }}{% endif %}": {"last_name"},
		"{% if last_name %}{{ first_name }}{% endif %}":                                    {"first_name"},
		"{% if first_name %}{% if last_name %}{{ first_name }}{% endif %}{% endif %}":      nil,
		"{% if first_name %}x{% endif %}{{ first_name }}":                                  {"first_name"},
		"{% for i in (1..2) %}{{ i }}{{ comment }}{% endfor %}":                            {"comment"},
		"{% assign name = first_name %}{{ name }}":                                         nil,
	} {
		compiled, err := Compile(source, Options{})
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if got := compiled.Bare(); !slices.Equal(got, want) {
			t.Errorf("%s: bare are %q, want %q", source, got, want)
		}
	}
}
