package compose_test

import (
	"fmt"
	"testing"

	"vestnik/internal/compose"
	"vestnik/internal/compose/composetest"
)

func TestVerifiersOfOthersHoldAThousandSignatures(t *testing.T) {
	compose.NeedVerifiers(t)
	signer, records := compose.NewSigner(t)
	mails, names := map[string][]byte{}, map[string]string{}
	for i, m := range composetest.Messages(1000) {
		m.Source.Signer = signer
		data, err := m.Render()
		if err != nil {
			t.Fatal(err)
		}
		file := fmt.Sprintf("%04d.eml", i)
		mails[file], names[file] = data, m.Name
	}
	for program, held := range compose.HeldByOthers(t, records, mails) {
		t.Run(program+" holds both signatures of every generated mail", func(t *testing.T) {
			if len(held) != len(mails) {
				t.Fatalf("it looked at %d of %d mails", len(held), len(mails))
			}
			for file, count := range held {
				if count != len(records) {
					t.Errorf("it holds %d signatures of %s", count, names[file])
				}
			}
		})
	}
}
