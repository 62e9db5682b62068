package cache

import (
	"container/list"
	"strconv"
	"sync"
	"time"
)

// local keeps answers in this process: those that were asked for last, in so many bytes.
type local struct {
	most int // bytes

	mu      sync.Mutex
	entries map[string]*list.Element // of *entry
	recent  list.List                // the one asked for last in front
	bytes   int

	clock       uint64            // of the generations
	base        uint64            // of the tags that are not in generations
	generations map[string]uint64 // of tags that were forgotten
}

type entry struct {
	key, generation string
	data            []byte
	until           time.Time
}

// entryBytes is about what an entry takes beside its key and its data.
const entryBytes = 200

func (e *entry) size() int { return len(e.key) + len(e.data) + entryBytes }

// mostGenerations is how many forgotten tags are told apart, so that the memory does
// not grow with the number of people. Chosen.
const mostGenerations = 10_000

func newLocal(most int) *local {
	return &local{most: most, entries: map[string]*list.Element{}, generations: map[string]uint64{}}
}

func (l *local) look(k Key, now time.Time) (generation string, data []byte, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	generation = l.generation(k.Tag)
	element, ok := l.entries[k.full()]
	if !ok {
		return generation, nil, false
	}
	e := element.Value.(*entry)
	if e.generation != generation || !now.Before(e.until) {
		l.remove(element)
		return generation, nil, false
	}
	l.recent.MoveToFront(element)
	return generation, e.data, true
}

func (l *local) generation(tag string) string {
	n, ok := l.generations[tag]
	if !ok {
		n = l.base
	}
	return strconv.FormatUint(n, 10)
}

func (l *local) put(k Key, generation string, data []byte, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &entry{key: k.full(), generation: generation, data: data, until: until}
	if l.generation(k.Tag) != generation || e.size() > l.most {
		return
	}
	if element, ok := l.entries[e.key]; ok {
		l.remove(element)
	}
	l.entries[e.key] = l.recent.PushFront(e)
	l.bytes += e.size()
	for l.bytes > l.most {
		l.remove(l.recent.Back())
	}
}

func (l *local) remove(element *list.Element) {
	e := l.recent.Remove(element).(*entry)
	delete(l.entries, e.key)
	l.bytes -= e.size()
}

func (l *local) forget(tags []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	if len(l.generations)+len(tags) > mostGenerations { // all of them are forgotten
		clear(l.generations)
		l.base = l.clock
		return
	}
	for _, tag := range tags {
		l.generations[tag] = l.clock
	}
}

func (l *local) size() (entries, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries), l.bytes
}
