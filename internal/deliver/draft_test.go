package deliver

import (
	"testing"

	"vestnik/internal/compose"
	"vestnik/internal/compose/dkim"
)

func TestDraftsAreMadeAnewForAnotherSenderOrSigner(t *testing.T) {
	var d drafts
	first, second := &dkim.Signer{}, &dkim.Signer{}
	from := compose.Address{Email: "a@example.com"}
	made := d.of(1, from, first)
	for name, c := range map[string]struct {
		run    int64
		from   compose.Address
		signer *dkim.Signer
		same   bool
	}{
		"the same":       {1, from, first, true},
		"another run":    {2, from, first, false},
		"another sender": {1, compose.Address{Email: "b@example.com"}, first, false},
		"another signer": {1, from, second, false},
		"no signer":      {1, from, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			d.byRun = map[int64]*draft{1: made}
			if got := d.of(c.run, c.from, c.signer) == made; got != c.same {
				t.Errorf("the draft that was made serves: %v", got)
			}
		})
	}
}
