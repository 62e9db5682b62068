package deliver

import (
	"maps"
	"sync"

	"vestnik/internal/store"
)

// hands are the deliveries that this node has: from their lease until the ledger
// is known to have their outcome. The ledger can be ahead of that: when the
// answer to a commit is lost, an outcome is told again although it was taken in,
// and meanwhile the delivery may have been leased again. Whoever sent it then
// would see it taken from under their hands, and others would send it, too.
type hands struct {
	mu  sync.Mutex
	ids map[int64]struct{}
}

// take reports whether the delivery was not in hand yet; now it is.
func (h *hands) take(id int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.ids[id]; ok {
		return false
	}
	if h.ids == nil {
		h.ids = map[int64]struct{}{}
	}
	h.ids[id] = struct{}{}
	return true
}

// letGo forgets deliveries whose outcome the ledger has.
func (h *hands) letGo(outcomes []store.Outcome) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, o := range outcomes {
		delete(h.ids, o.DeliveryID)
	}
}

// count is how many are in hand.
func (h *hands) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ids)
}

// all returns a copy of what is in hand.
func (h *hands) all() map[int64]struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.ids)
}
