package server_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/netns"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
	"vestnik/internal/torture"
)

// insideSetting tells this test binary that it is in the network namespace of
// TestDirectSending.
const insideSetting = "VESTNIK_TEST_INSIDE"

// Who is where in that network. At refusedAddress nobody listens.
const (
	nameServerAddress = "10.78.0.1"
	allSitesAddress   = "10.78.0.10" // of all sites in a siege
	oneAddress        = "10.78.0.11"
	twoAddress        = "10.78.0.12"
	laterAddress      = "10.78.0.13"
	refusingAddress   = "10.78.0.14"
	stalledAddress    = "10.78.0.15"
	blockingAddress   = "10.78.0.16"
	refusedAddress    = "10.78.0.98"
	refusedAddress6   = "fd78::98"
)

// TestDirectSending makes a network of its own, with a name server and addresses for
// mail servers on port 25, and runs those tests there that send directly. They begin
// with TestInside.
func TestDirectSending(t *testing.T) {
	if os.Getenv(insideSetting) != "" {
		t.Skip("it makes the network namespace that this run of the tests is in")
	}
	netns.Need(t)
	n := netns.New(t, "direct")
	n.Address(t, "lo", nameServerAddress, allSitesAddress, oneAddress, twoAddress, laterAddress, refusingAddress,
		stalledAddress, blockingAddress, refusedAddress, refusedAddress6)
	n.Resolve(t, nameServerAddress)
	n.NameServer(t, nameServerAddress, directRecords()...)
	n.RunTests(t, "^TestInside", 20*time.Minute, insideSetting+"=1")
}

// needInside skips a test that is not in the network of TestDirectSending.
func needInside(t *testing.T) {
	t.Helper()
	if os.Getenv(insideSetting) == "" {
		t.Skip("run by TestDirectSending in a network namespace")
	}
}

// directRecords are what the name server knows, as dnsmasq(8) wants it.
func directRecords() []string {
	records := []string{
		// The best host has two addresses, of which one is dead.
		"--mx-host=good.test,mx1.good.test,10", "--mx-host=good.test,mx2.good.test,20",
		"--host-record=mx1.good.test," + oneAddress + "," + refusedAddress6,
		"--host-record=mx2.good.test," + twoAddress,
		// Nobody listens at the best host.
		"--mx-host=second.test,mx1.second.test,10", "--mx-host=second.test,mx2.second.test,20",
		"--host-record=mx1.second.test," + refusedAddress + "," + refusedAddress6,
		"--host-record=mx2.second.test," + twoAddress,
		"--host-record=implicit.test," + twoAddress,
		"--dns-rr=null.test,15,000000", // preference 0, the root (RFC 7505)
		"--mx-host=later.test,mx.later.test,10", "--host-record=mx.later.test," + laterAddress,
		"--mx-host=refusing.test,mx.refusing.test,10", "--host-record=mx.refusing.test," + refusingAddress,
		"--mx-host=stalled.test,mx.stalled.test,10", "--host-record=mx.stalled.test," + stalledAddress,
		"--mx-host=blocking.test,mx.blocking.test,10", "--host-record=mx.blocking.test," + blockingAddress,
	}
	for i := range besieged {
		domain := siteDomain(i)
		records = append(records, "--mx-host="+domain+",mx."+domain+",10", "--host-record=mx."+domain+","+allSitesAddress)
	}
	return records
}

// A siege of direct sending has so many sites, each a domain of its own, with so many
// recipients. What a site may get in a second is little, so that it takes many to be
// fast.
const besieged = 50

var perSite = torture.Times(12, 60)

func siteDomain(i int) string { return fmt.Sprintf("site%02d.test", i) }

// siteConnections is what an unknown site is given (transport/mx/providers.json).
const siteConnections = 2

// direct makes sending directly the way out.
func (h *house) direct() {
	h.t.Helper()
	_, err := h.base.App.CreateRelay(h.t.Context(), app.Operator, app.RelaySettings{
		Kind: app.RelayMX, Name: "direct", HeloName: "sender.test", FromEmail: "news@example.org", Weight: 10, Enabled: true,
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// contactsAt makes the clients client000@ to that of number n-1 of a domain.
func (h *house) contactsAt(domain string, n int) {
	h.t.Helper()
	list := make([]mailing.Contact, n)
	for i := range list {
		list[i] = mailing.Contact{OwnerID: h.owner.ID, Email: fmt.Sprintf("client%03d@%s", i, domain), FirstName: "Клиент", CreatedAt: time.Now()}
	}
	if _, err := h.store.ImportContacts(h.t.Context(), list); err != nil {
		h.t.Fatal(err)
	}
}

// siegeOfSites is a siege of a service that sends directly.
func siegeOfSites(t *testing.T, url string) *siege {
	t.Helper()
	h := newHouse(t, url)
	for i := range besieged {
		h.contactsAt(siteDomain(i), perSite)
	}
	h.direct()
	// A tenth of a second on the wire, since sites get few mails in a second.
	g := h.siege(newSink(t, smtpsink.Options{Addr: allSitesAddress + ":25", Delay: 20 * roundTrip}))
	g.recipients, g.onWire, g.roads = besieged*perSite, besieged*siteConnections, ", sending directly"
	// A kill costs a site of its hour what the node had taken off its account.
	g.strikes = min(strikes, 8)
	g.more = []string{"VESTNIK_PRIVATE_MX=true"}
	return g
}

func TestInsideKill(t *testing.T) {
	needInside(t)
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("when mails go directly kill -9 loses none, doubles none and lists all in doubt", func(t *testing.T) {
			siegeOfSites(t, url).kills()
		})
	})
}

func TestInsideStop(t *testing.T) {
	needInside(t)
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("when mails go directly SIGTERM loses none, doubles none and leaves none in doubt", func(t *testing.T) {
			siegeOfSites(t, url).stops()
		})
	})
}
