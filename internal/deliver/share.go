package deliver

import "math/rand/v2"

// sharer is somebody with a share of the mails that can be leased now.
type sharer struct {
	parts int                         // of those of all
	take  func(most int) (int, error) // takes so many, or what it has, and says how many that was
}

// share lets all take n mails together, each by its parts; what one does not have goes
// to the others by theirs. It returns how many were taken. Lots are drawn for what a
// division leaves over, so that a small part is not rounded away again and again.
func share(all []sharer, n int) (int, error) {
	taken := 0
	for len(all) > 0 && taken < n {
		left, parts := n-taken, 0
		for _, s := range all {
			parts += s.parts
		}
		var hungry []sharer
		for _, s := range all {
			most := left * s.parts / parts
			if rand.IntN(parts) < left*s.parts%parts {
				most++
			}
			left, parts = left-most, parts-s.parts
			took, err := s.take(most)
			taken += took
			if err != nil {
				return taken, err
			}
			if took == most {
				hungry = append(hungry, s)
			}
		}
		all = hungry
	}
	return taken, nil
}
