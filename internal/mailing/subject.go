package mailing

import (
	"regexp"
	"strings"
)

var (
	// mergeField is an output with the first name of its variable.
	mergeField = regexp.MustCompile(`\{\{-?\s*([\p{L}_][\p{L}\p{N}_-]*)[^{}]*\}\}`)
	// otherwise is what a condition has besides its first branch.
	otherwise = regexp.MustCompile(`\{%-?\s*(?:else|elsif|when)\b[^%]*%\}.*?\{%-?\s*end(?:if|unless|case|for)\s*-?%\}`)
	// mergeTag is a tag of a template.
	mergeTag = regexp.MustCompile(`\{%[^%]*%\}`)
)

// SubjectName is the subject of a message as the name of the message and of its mailings:
// merge fields are replaced by what field calls them, and of a condition only its first
// branch is left.
func SubjectName(subject string, field func(name string) string) string {
	if !strings.Contains(subject, "{") {
		return subject
	}
	subject = mergeTag.ReplaceAllString(otherwise.ReplaceAllString(subject, ""), "")
	return mergeField.ReplaceAllStringFunc(subject, func(output string) string {
		return field(mergeField.FindStringSubmatch(output)[1])
	})
}
