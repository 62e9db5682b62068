package mailing

import "testing"

func TestWeights(t *testing.T) {
	t.Run("each is four times the one before", func(t *testing.T) {
		before := 0
		for _, w := range Weights() {
			if !w.Valid() || before > 0 && w.Parts() != 4*before {
				t.Errorf("%s has %d parts, the one before %d", w, w.Parts(), before)
			}
			before = w.Parts()
		}
	})
	t.Run("there are no others", func(t *testing.T) {
		if len(Weights()) != len(weights) {
			t.Errorf("%d and %d", len(Weights()), len(weights))
		}
		for _, w := range []Weight{"", "High", "16"} {
			if w.Valid() {
				t.Errorf("%q is one", w)
			}
		}
	})
	t.Run("a single mail, which has none, counts as normal", func(t *testing.T) {
		if Weight("").Parts() != WeightNormal.Parts() {
			t.Error("it does not")
		}
	})
}
