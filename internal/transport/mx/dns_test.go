package mx

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(roleSetting) == roleWorld {
		os.Exit(playWorld())
	}
	goleak.VerifyTestMain(m)
}

// zones are name servers without a network: what they hold is written as in zone
// files. Names that end an entry's key are looked for first.
type zones struct {
	mu      sync.Mutex
	records map[string][]dns.RR // by "TYPE name."
	names   map[string]bool
	broken  map[string]error // by "TYPE name." or "name.": instead of an answer
	rcodes  map[string]int   // the same
	asked   map[string]int   // by "TYPE name."
	minimum uint32           // of the SOA: how long "there is none" holds
}

func newZones(t testing.TB, lines ...string) *zones {
	t.Helper()
	z := &zones{
		records: map[string][]dns.RR{}, names: map[string]bool{}, broken: map[string]error{},
		rcodes: map[string]int{}, asked: map[string]int{}, minimum: 300,
	}
	z.add(t, lines...)
	return z
}

func (z *zones) add(t testing.TB, lines ...string) {
	t.Helper()
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, line := range lines {
		record, err := dns.NewRR(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		header := record.Header()
		key := dns.TypeToString[header.Rrtype] + " " + header.Name
		z.records[key] = append(z.records[key], record)
		z.names[header.Name] = true
	}
}

func (z *zones) empty() {
	z.mu.Lock()
	defer z.mu.Unlock()
	clear(z.records)
	clear(z.names)
}

func (z *zones) fail(what string, err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.broken[what] = err
}

func (z *zones) answerCode(what string, rcode int) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.rcodes[what] = rcode
}

// questions is how often something was asked.
func (z *zones) questions(what string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked[what]
}

func (z *zones) exchange(ctx context.Context, _, _ string, question *dns.Msg) (*dns.Msg, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	name, kind := strings.ToLower(question.Question[0].Name), question.Question[0].Qtype
	key := dns.TypeToString[kind] + " " + name
	z.asked[key]++
	reply := new(dns.Msg)
	for _, what := range []string{key, name} {
		if err := z.broken[what]; err != nil {
			return nil, err
		}
		if rcode, given := z.rcodes[what]; given {
			return reply.SetRcode(question, rcode), nil
		}
	}
	reply.SetReply(question)
	z.answer(reply, name, kind)
	return reply, nil
}

func (z *zones) answer(reply *dns.Msg, name string, kind uint16) {
	for range 20 {
		found := z.records[dns.TypeToString[kind]+" "+name]
		reply.Answer = append(reply.Answer, found...)
		aliases := z.records["CNAME "+name]
		if len(found) > 0 {
			return
		}
		if len(aliases) == 0 {
			break
		}
		reply.Answer = append(reply.Answer, aliases...)
		name = aliases[0].(*dns.CNAME).Target
	}
	if !z.names[name] {
		reply.Rcode = dns.RcodeNameError
	}
	reply.Ns = append(reply.Ns, &dns.SOA{
		Hdr: dns.RR_Header{Name: "test.", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 3600},
		Ns:  "ns.test.", Mbox: "root.test.", Minttl: z.minimum,
	})
}

func (z *zones) resolver() *resolver {
	return newResolver(&Options{Exchange: z.exchange, NameServers: []string{"192.0.2.53:53", "192.0.2.54:53"}})
}

func lookUp(t *testing.T, r *resolver, name string, kind uint16) answer {
	t.Helper()
	found, err := r.lookUp(t.Context(), name, kind)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAnswersAreKept(t *testing.T) {
	cases := []struct {
		name  string
		lines []string
		until time.Duration // for how long one question is enough
	}{
		{"as long as the TTL", []string{"a.test. 600 IN A 192.0.2.1"}, 10 * time.Minute},
		{"a minute at least, also with a TTL of 0", []string{"a.test. 0 IN A 192.0.2.1"}, time.Minute},
		{"an hour at most", []string{"a.test. 86400 IN A 192.0.2.1"}, time.Hour},
		{"as long as the shortest in a chain", []string{"a.test. 120 IN CNAME b.test.", "b.test. 600 IN A 192.0.2.1"}, 2 * time.Minute},
		{"when there is no such name, as long as the zone says", nil, 5 * time.Minute},
		{"when there is a name without an address, as long as the zone says", []string{"a.test. 60 IN TXT x"}, 5 * time.Minute},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				z := newZones(t, c.lines...)
				r := z.resolver()
				lookUp(t, r, "a.test", dns.TypeA)
				time.Sleep(c.until - time.Second)
				lookUp(t, r, "a.test", dns.TypeA)
				if n := z.questions("A a.test."); n != 1 {
					t.Errorf("asked %d times before it was over", n)
				}
				time.Sleep(time.Second)
				lookUp(t, r, "a.test", dns.TypeA)
				if n := z.questions("A a.test."); n != 2 {
					t.Errorf("asked %d times when it was over, want 2", n)
				}
			})
		})
	}
}

func TestAFailureIsKeptForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZones(t)
		z.answerCode("a.test.", dns.RcodeServerFailure)
		r := z.resolver()
		for range 3 {
			if found := lookUp(t, r, "a.test", dns.TypeA); found.failure == nil || found.absent {
				t.Fatalf("found %+v, want a failure", found)
			}
		}
		asked := z.questions("A a.test.")
		if want := r.rounds * len(r.servers); asked != want {
			t.Errorf("asked %d times, want %d: each server in each round, once", asked, want)
		}
		time.Sleep(failureTTL)
		z.answerCode("a.test.", dns.RcodeSuccess)
		if found := lookUp(t, r, "a.test", dns.TypeA); found.failure != nil {
			t.Errorf("still failing: %v", found.failure)
		}
	})
}

func TestNothingButAClearAnswerCounts(t *testing.T) {
	reply := func(change func(*dns.Msg)) Exchange {
		return func(_ context.Context, _, _ string, question *dns.Msg) (*dns.Msg, error) {
			m := new(dns.Msg)
			m.SetRcode(question, dns.RcodeNameError)
			change(m)
			return m, nil
		}
	}
	cases := map[string]Exchange{
		"SERVFAIL":               reply(func(m *dns.Msg) { m.Rcode = dns.RcodeServerFailure }),
		"REFUSED":                reply(func(m *dns.Msg) { m.Rcode = dns.RcodeRefused }),
		"NOTIMP":                 reply(func(m *dns.Msg) { m.Rcode = dns.RcodeNotImplemented }),
		"an answer to another":   reply(func(m *dns.Msg) { m.Question[0].Name = "b.test." }),
		"another number":         reply(func(m *dns.Msg) { m.Id++ }),
		"a question":             reply(func(m *dns.Msg) { m.Response = false }),
		"no question in it":      reply(func(m *dns.Msg) { m.Question = nil }),
		"cut off, also over TCP": reply(func(m *dns.Msg) { m.Truncated = true }),
		"silence": func(ctx context.Context, _, _ string, _ *dns.Msg) (*dns.Msg, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"nonsense": func(context.Context, string, string, *dns.Msg) (*dns.Msg, error) { return nil, dns.ErrBuf },
	}
	for name, exchange := range cases {
		t.Run(name+" is a failure and not an absence", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newResolver(&Options{Exchange: exchange, NameServers: []string{"192.0.2.53:53"}})
				if found := lookUp(t, r, "a.test", dns.TypeMX); found.failure == nil || found.absent {
					t.Errorf("found %+v", found)
				}
			})
		})
	}
}

func TestTheNextServerIsAsked(t *testing.T) {
	z := newZones(t, "a.test. 60 IN A 192.0.2.1")
	r := newResolver(&Options{
		NameServers: []string{"192.0.2.53:53", "192.0.2.54:53"},
		Exchange: func(ctx context.Context, network, server string, question *dns.Msg) (*dns.Msg, error) {
			if server == "192.0.2.53:53" {
				return nil, errors.New("unreachable")
			}
			return z.exchange(ctx, network, server, question)
		},
	})
	if found := lookUp(t, r, "a.test", dns.TypeA); len(found.records) != 1 {
		t.Errorf("found %+v", found)
	}
}

func TestACutAnswerIsAskedForOverTCP(t *testing.T) {
	z := newZones(t, "a.test. 60 IN A 192.0.2.1")
	var networks []string
	r := newResolver(&Options{
		NameServers: []string{"192.0.2.53:53"},
		Exchange: func(ctx context.Context, network, server string, question *dns.Msg) (*dns.Msg, error) {
			networks = append(networks, network)
			reply, err := z.exchange(ctx, network, server, question)
			if network == "udp" {
				reply.Truncated, reply.Answer = true, nil
			}
			return reply, err
		},
	})
	found := lookUp(t, r, "a.test", dns.TypeA)
	if len(found.records) != 1 || fmt.Sprint(networks) != "[udp tcp]" {
		t.Errorf("found %+v over %v", found, networks)
	}
}

func TestAliases(t *testing.T) {
	t.Run("an alias whose end is not in the answer is followed", func(t *testing.T) {
		z := newZones(t, "b.test. 60 IN A 192.0.2.1")
		r := newResolver(&Options{
			NameServers: []string{"192.0.2.53:53"},
			Exchange: func(ctx context.Context, network, server string, question *dns.Msg) (*dns.Msg, error) {
				if question.Question[0].Name != "a.test." {
					return z.exchange(ctx, network, server, question)
				}
				alias, err := dns.NewRR("A.test. 60 IN CNAME b.test.")
				reply := new(dns.Msg).SetReply(question)
				reply.Answer = []dns.RR{alias}
				return reply, err
			},
		})
		if found := lookUp(t, r, "a.test", dns.TypeA); len(found.records) != 1 {
			t.Errorf("found %+v", found)
		}
	})
	t.Run("an alias of nothing is an absence", func(t *testing.T) {
		z := newZones(t, "a.test. 60 IN CNAME gone.test.")
		if found := lookUp(t, z.resolver(), "a.test", dns.TypeA); !found.absent || found.failure != nil {
			t.Errorf("found %+v", found)
		}
	})
	t.Run("a ring of aliases is a failure", func(t *testing.T) {
		r := newResolver(&Options{
			NameServers: []string{"192.0.2.53:53"},
			Exchange: func(_ context.Context, _, _ string, question *dns.Msg) (*dns.Msg, error) {
				target := map[string]string{"a.test.": "b.test.", "b.test.": "a.test."}[question.Question[0].Name]
				alias, err := dns.NewRR(question.Question[0].Name + " 60 IN CNAME " + target)
				reply := new(dns.Msg).SetReply(question)
				reply.Answer = []dns.RR{alias}
				return reply, err
			},
		})
		if found := lookUp(t, r, "a.test", dns.TypeA); found.failure == nil {
			t.Errorf("found %+v", found)
		}
	})
}

func TestManyAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZones(t, "a.test. 600 IN A 192.0.2.1")
		r := newResolver(&Options{
			NameServers: []string{"192.0.2.53:53"},
			Exchange: func(ctx context.Context, network, server string, question *dns.Msg) (*dns.Msg, error) {
				time.Sleep(time.Second)
				return z.exchange(ctx, network, server, question)
			},
		})
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if found, err := r.lookUp(t.Context(), "a.test", dns.TypeA); err != nil || len(found.records) != 1 {
					t.Errorf("found %+v, %v", found, err)
				}
			})
		}
		all.Wait()
		if n := z.questions("A a.test."); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestOneWhoGivesUpTakesNobodyAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZones(t, "a.test. 600 IN A 192.0.2.1")
		var exchanges atomic.Int32
		r := newResolver(&Options{
			NameServers: []string{"192.0.2.53:53"},
			Exchange: func(ctx context.Context, network, server string, question *dns.Msg) (*dns.Msg, error) {
				if exchanges.Add(1) == 1 {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return z.exchange(ctx, network, server, question)
			},
		})
		first, giveUp := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := r.lookUp(first, "a.test", dns.TypeA); !errors.Is(err, context.Canceled) {
				t.Errorf("the first got %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			if found, err := r.lookUp(t.Context(), "a.test", dns.TypeA); err != nil || len(found.records) != 1 {
				t.Errorf("the second found %+v, %v", found, err)
			}
		})
		synctest.Wait()
		giveUp()
		all.Wait()
	})
}

func TestTheCacheIsBounded(t *testing.T) {
	c := newCache[int](3)
	later := time.Now().Add(time.Hour)
	for i := range 4 {
		c.look("0") // used, so it stays
		c.keep(fmt.Sprint(i), i, later)
	}
	var left []string
	for i := range 4 {
		if _, found := c.look(fmt.Sprint(i)); found {
			left = append(left, fmt.Sprint(i))
		}
	}
	if got := strings.Join(left, " "); got != "0 2 3" {
		t.Errorf("left %s, want 0 2 3", got)
	}
	if len(c.entries) != 3 || c.recent.Len() != 3 {
		t.Errorf("%d entries, %d in order", len(c.entries), c.recent.Len())
	}
}
