package mx

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
)

// Route is the way to the mail servers of one domain, as it was known when it was
// asked for; ask anew for every mail, it costs next to nothing.
type Route struct {
	Domain string // A-labels in lower case, or an address literal
	Site   *Site

	// Key is the same for routes that lead to the same hosts under the same
	// policy: a session opened for one of them may carry the mail of all.
	Key string

	Hosts  []Host  // the best first
	Policy *Policy // nil: none that is known

	router *Router
}

// Address names the site, for people.
func (r *Route) Address() string { return r.Site.Name }

func newRoute(r *Router, domain string, way *path, policy *Policy) *Route {
	route := &Route{Domain: domain, Site: way.site, Hosts: way.hosts, Policy: policy, router: r}
	route.Key = route.key()
	return route
}

func (r *Route) key() string {
	var key strings.Builder
	key.WriteString(r.Site.Key)
	for _, host := range r.Hosts {
		key.WriteString(" " + host.Name)
	}
	if r.Policy.enforced() {
		key.WriteString(" only " + strings.Join(r.Policy.MX, " "))
	}
	return key.String()
}

// order is how the hosts are to be tried now: by preference, equal ones in random
// order to share the load (RFC 5321, section 5.1), and last those that did not
// answer lately.
func (r *Route) order() []Host {
	hosts := slices.Clone(r.Hosts)
	rand.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
	slices.SortStableFunc(hosts, func(a, b Host) int { return int(a.Preference) - int(b.Preference) })
	return silentLast(r.router, hosts, func(host Host) string { return host.Name })
}

// orderAddresses mixes the addresses of a host: both families in turn, so that a
// broken one does not use up all tries; within each at random, and last those
// that did not answer lately.
func (r *Router) orderAddresses(addresses []netip.Addr) []netip.Addr {
	mixed := slices.Clone(addresses)
	rand.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	var families [2][]netip.Addr
	for _, address := range mixed {
		family := 0
		if address.Is4() {
			family = 1
		}
		families[family] = append(families[family], address)
	}
	mixed = mixed[:0]
	for i := range len(addresses) {
		for _, family := range families {
			if i < len(family) {
				mixed = append(mixed, family[i])
			}
		}
	}
	return silentLast(r, mixed, netip.Addr.String)
}

// silentLast moves what did not answer lately to the end.
func silentLast[T any](r *Router, all []T, name func(T) string) []T {
	var answering, silent []T
	for _, one := range all {
		if _, isSilent := r.silent.look(name(one)); isSilent {
			silent = append(silent, one)
		} else {
			answering = append(answering, one)
		}
	}
	return append(answering, silent...)
}
