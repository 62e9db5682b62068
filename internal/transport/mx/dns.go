package mx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Exchange asks one name server ("192.0.2.53:53") one question over "udp" or
// "tcp" and returns its answer. It returns when ctx ends.
type Exchange func(ctx context.Context, network, server string, question *dns.Msg) (*dns.Msg, error)

// For how long an answer is kept. What DNS says is kept between the two bounds.
const (
	// minTTL: chosen; a mailing must not ask again for every recipient where the
	// TTL is 0, and a minute is what people wait for after a change of DNS.
	minTTL = time.Minute
	// maxTTL: chosen; a day, as many have it, would hold a mailing to a server
	// that was given up in the morning. To ask once an hour costs nothing.
	maxTTL = time.Hour
	// failureTTL is how long a name server's failure is believed. RFC 2308,
	// section 7 allows five minutes; one is enough to spare a dead one.
	failureTTL = time.Minute
)

// maxQuestions is how many answers are kept: chosen, some 20 MB.
const maxQuestions = 50_000

// maxAliases is how many CNAMEs are followed: chosen, as resolvers do; sane
// zones have one.
const maxAliases = 8

// udpSize is what we take in a datagram: the size that passes everywhere without
// fragments (the DNS Flag Day of 2020).
const udpSize = 1232

// resolver asks name servers and keeps what they say.
type resolver struct {
	servers  []string
	timeout  time.Duration // for one server to answer
	rounds   int           // how often all servers are asked
	exchange Exchange
	kept     *cache[answer]
}

// answer is what DNS knows about a name and a type.
type answer struct {
	records []dns.RR // of the type; at the end of the aliases
	absent  bool     // there is no such name (NXDOMAIN)
	failure error    // nobody could say; then the rest is empty
	until   time.Time
}

// newResolver takes servers and patience from resolv.conf where options have
// none.
func newResolver(options *Options) *resolver {
	// The defaults of resolv.conf(5).
	r := &resolver{timeout: 5 * time.Second, rounds: 2, exchange: options.Exchange, kept: newCache[answer](maxQuestions)}
	if r.exchange == nil {
		r.exchange = ask
	}
	config, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err == nil {
		r.timeout, r.rounds = time.Duration(config.Timeout)*time.Second, max(config.Attempts, 1)
		for _, server := range config.Servers {
			r.servers = append(r.servers, net.JoinHostPort(server, config.Port))
		}
	}
	if len(options.NameServers) > 0 {
		r.servers = slices.Clone(options.NameServers)
	}
	if options.NameServerTimeout > 0 {
		r.timeout = options.NameServerTimeout
	}
	if len(r.servers) == 0 {
		r.servers = []string{"127.0.0.1:53"} // as resolv.conf(5)
	}
	return r
}

// ask is the Exchange over the network.
func ask(ctx context.Context, network, server string, question *dns.Msg) (*dns.Msg, error) {
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })()
	conn := &dns.Conn{Conn: raw, UDPSize: udpSize}
	if err := conn.WriteMsg(question); err != nil {
		return nil, err
	}
	for {
		reply, err := conn.ReadMsg()
		// A datagram with another number answers an earlier question or is forged.
		if network == "udp" && reply != nil && reply.Id != question.Id {
			continue
		}
		return reply, err
	}
}

// lookUp returns what DNS knows. The error is that ctx ended; what else goes
// wrong is answer.failure.
func (r *resolver) lookUp(ctx context.Context, name string, kind uint16) (answer, error) {
	key := dns.TypeToString[kind] + " " + name
	return r.kept.find(ctx, key, func(ctx context.Context) (answer, time.Time, error) {
		found, err := r.follow(ctx, name, kind)
		if ctx.Err() != nil {
			return answer{}, time.Time{}, context.Cause(ctx)
		}
		if err != nil {
			found = answer{failure: fmt.Errorf("look up %s: %w", key, err), until: time.Now().Add(failureTTL)}
		}
		return found, found.until, nil
	})
}

// follow asks for name, and for what it is an alias of where the answer does not
// go that far.
func (r *resolver) follow(ctx context.Context, name string, kind uint16) (answer, error) {
	life := maxTTL
	for range maxAliases {
		reply, err := r.askAll(ctx, dns.Fqdn(name), kind)
		if err != nil {
			return answer{}, err
		}
		found, end, ttl := readAnswer(reply, dns.Fqdn(name), kind)
		life = min(life, ttl)
		aliasOnly := len(found.records) == 0 && !found.absent && !same(end, dns.Fqdn(name)) && !hasSOA(reply)
		if !aliasOnly {
			found.until = time.Now().Add(max(life, minTTL))
			return found, nil
		}
		name = end
	}
	return answer{}, errors.New("a chain of aliases without end")
}

// readAnswer follows the aliases in a reply to their end and collects what is
// there, with the shortest TTL on the way.
func readAnswer(reply *dns.Msg, name string, kind uint16) (found answer, end string, ttl time.Duration) {
	ttl = maxTTL
	found.absent = reply.Rcode == dns.RcodeNameError
	for range maxAliases {
		alias := ""
		for _, record := range reply.Answer {
			header := record.Header()
			if !same(header.Name, name) || header.Class != dns.ClassINET {
				continue
			}
			if cname, ok := record.(*dns.CNAME); ok && kind != dns.TypeCNAME {
				alias = cname.Target
			} else if header.Rrtype == kind {
				found.records = append(found.records, record)
			} else {
				continue
			}
			ttl = min(ttl, time.Duration(header.Ttl)*time.Second)
		}
		if alias == "" || len(found.records) > 0 {
			break
		}
		name = alias
	}
	if len(found.records) == 0 {
		ttl = min(ttl, negativeTTL(reply))
	} else {
		found.absent = false
	}
	return found, name, ttl
}

// negativeTTL is for how long "there is none" holds: the lesser of the SOA's own
// TTL and its last field (RFC 2308, section 5). Without a SOA it should not be
// kept at all, so it gets the least.
func negativeTTL(reply *dns.Msg) time.Duration {
	for _, record := range reply.Ns {
		if soa, ok := record.(*dns.SOA); ok {
			return time.Duration(min(soa.Hdr.Ttl, soa.Minttl)) * time.Second
		}
	}
	return minTTL
}

func hasSOA(reply *dns.Msg) bool {
	return slices.ContainsFunc(reply.Ns, func(record dns.RR) bool { return record.Header().Rrtype == dns.TypeSOA })
}

func same(a, b string) bool { return strings.EqualFold(a, b) }

// askAll asks one server after the other until one knows. The error has what the
// last one said.
func (r *resolver) askAll(ctx context.Context, name string, kind uint16) (*dns.Msg, error) {
	var last error
	for range r.rounds {
		for _, server := range r.servers {
			reply, err := r.askOne(ctx, server, name, kind)
			if err == nil || ctx.Err() != nil {
				return reply, err
			}
			last = fmt.Errorf("%s: %w", server, err)
		}
	}
	return nil, last
}

// askOne takes an answer only if it is one: to our question, whole, and either
// "here it is" or "there is none". An answer that was cut is asked for again over
// TCP (RFC 7766, section 5).
func (r *resolver) askOne(ctx context.Context, server, name string, kind uint16) (*dns.Msg, error) {
	question := new(dns.Msg)
	question.SetQuestion(name, kind)
	question.SetEdns0(udpSize, false)
	for _, network := range []string{"udp", "tcp"} {
		reply, err := r.askOver(ctx, network, server, question)
		switch {
		case err != nil:
			return nil, err
		case !answers(reply, question):
			return nil, errors.New("answered another question")
		case reply.Truncated:
			continue
		case reply.Rcode == dns.RcodeSuccess || reply.Rcode == dns.RcodeNameError:
			return reply, nil
		}
		return nil, fmt.Errorf("answered %s", dns.RcodeToString[reply.Rcode])
	}
	return nil, errors.New("the answer is cut off even over TCP")
}

func (r *resolver) askOver(ctx context.Context, network, server string, question *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	return r.exchange(ctx, network, server, question)
}

func answers(reply, question *dns.Msg) bool {
	return reply != nil && reply.Response && reply.Id == question.Id && len(reply.Question) == 1 &&
		same(reply.Question[0].Name, question.Question[0].Name) &&
		reply.Question[0].Qtype == question.Question[0].Qtype
}
