package deliver

import (
	"testing"

	"vestnik/internal/compose"
	"vestnik/internal/compose/dkim"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

func TestDraftsAreMadeAnewForAnotherSenderOrSigner(t *testing.T) {
	var d drafts
	first, second := &dkim.Signer{}, &dkim.Signer{}
	from := compose.Address{Email: "a@example.com"}
	made := d.of(draftKey{1, from, first})
	for name, c := range map[string]struct {
		key  draftKey
		same bool
	}{
		"another run":    {draftKey{2, from, first}, false},
		"another sender": {draftKey{1, compose.Address{Email: "b@example.com"}, first}, false},
		"another signer": {draftKey{1, from, second}, false},
		"no signer":      {draftKey{1, from, nil}, false},
		"the same":       {draftKey{1, from, first}, true}, // with the others beside it
	} {
		t.Run(name, func(t *testing.T) {
			if got := d.of(c.key) == made; got != c.same {
				t.Errorf("the draft that was made serves: %v", got)
			}
		})
	}
	d.keep([]store.LiveRun{{Run: mailing.Run{ID: 2}}})
	equal(t, "drafts of runs that go on", len(d.all), 1)
}
