package mailing_test

import (
	"testing"

	"vestnik/internal/mailing"
)

func TestASubjectIsAName(t *testing.T) {
	chip := func(name string) string { return "‹" + name + "›" }
	for subject, want := range map[string]string{
		"Осенняя распродажа":                                                            "Осенняя распродажа",
		"{{ first_name }}, новости недели":                                              "‹first_name›, новости недели",
		"{{first_name}}{{ last_name }}":                                                 "‹first_name›‹last_name›",
		`{{- first_name | default: "друг" | upcase -}}, привет`:                         "‹first_name›, привет",
		`{% if first_name %}{{ first_name }}, привет{% else %}Привет{% endif %} и пока`: "‹first_name›, привет и пока",
		"{% unless email %}x{% endunless %}y":                                           "xy",
		"{{ mailing.name }}":                                                            "‹mailing›",
		"{{ 'a' }} и {{":                                                                "{{ 'a' }} и {{",
		"{смайлик}":                                                                     "{смайлик}",
	} {
		if got := mailing.SubjectName(subject, chip); got != want {
			t.Errorf("%q is called %q, want %q", subject, got, want)
		}
	}
}
