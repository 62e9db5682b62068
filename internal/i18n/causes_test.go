package i18n

import (
	"slices"
	"strings"
	"testing"

	"vestnik/internal/mailing"
)

func TestEveryCauseIsExplained(t *testing.T) {
	ru, en := printers(t)
	for code, cause := range mailing.CodesExplained() {
		for _, p := range []*Printer{ru, en} {
			for _, part := range []string{".title", ".means", ".todo"} {
				if key := "cause." + string(cause) + part; !p.Has(key) || p.T(key) == "" {
					t.Errorf("code %s: %s has no %q", code, p.Lang(), key)
				}
			}
		}
	}
	var explained []mailing.Cause
	for _, name := range ru.Below("cause.") {
		name, _, _ = strings.Cut(name, ".")
		explained = append(explained, mailing.Cause(name))
	}
	if explained = slices.Compact(explained); !slices.Equal(explained, mailing.Causes()) {
		t.Errorf("explained are %q, want %q", explained, mailing.Causes())
	}
}
