package mailing

// Weight is how large a share a mailing gets of the speed at which its owner's
// mailings are sent, when several are at once. It takes nothing from other owners.
type Weight string

// The weights.
const (
	WeightLow    Weight = "low"
	WeightNormal Weight = "normal"
	WeightHigh   Weight = "high"
)

// weights are in what proportion mailings share. Chosen: a step is a factor of four,
// which one sees, and with two between them the lower still gets a seventeenth, so
// that it does not seem to stand still.
var weights = map[Weight]int{WeightLow: 1, WeightNormal: 4, WeightHigh: 16}

// Weights lists all weights, from the lowest.
func Weights() []Weight { return []Weight{WeightLow, WeightNormal, WeightHigh} }

// Valid reports whether w is one of the weights.
func (w Weight) Valid() bool { return weights[w] > 0 }

// Parts is the weight as a number; what is no weight counts as normal.
func (w Weight) Parts() int {
	if !w.Valid() {
		w = WeightNormal
	}
	return weights[w]
}
