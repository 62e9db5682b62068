package mx

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"vestnik/internal/smtpsink"
)

// Where things are in the world of the namespace tests. At refusedAddress nobody
// listens, at goneAddress nobody is.
const (
	dnsAddress      = "10.77.0.1"
	servfailAddress = "10.77.0.53" // a name server that has broken down
	policyAddress   = "10.77.0.80"
	refusedAddress  = "10.77.0.98"
	goneAddress     = "10.77.0.99"
)

var worldAddresses = []string{
	dnsAddress, servfailAddress, policyAddress, refusedAddress,
	"10.77.0.11", "fd77::11", "10.77.0.12", "10.77.0.13", "10.77.0.14", "10.77.0.15", "10.77.0.16",
}

// policies are those of the domains named "….test" at policyAddress.
var worldPolicies = map[string]string{
	"strict":  "version: STSv1\r\nmode: enforce\r\nmx: secure.hosts.test\r\nmax_age: 604800\r\n",
	"wrong":   "version: STSv1\r\nmode: enforce\r\nmx: *.hosts.test\r\nmax_age: 604800\r\n",
	"plain":   "version: STSv1\r\nmode: enforce\r\nmx: *.hosts.test\r\nmax_age: 604800\r\n",
	"unnamed": "version: STSv1\r\nmode: enforce\r\nmx: elsewhere.test\r\nmax_age: 604800\r\n",
	"trying":  "version: STSv1\r\nmode: testing\r\nmx: elsewhere.test\r\nmax_age: 604800\r\n",
}

// worldRecords are what the name server knows, as dnsmasq(8) wants it.
func worldRecords() []string {
	records := []string{
		"--host-record=one.hosts.test,10.77.0.11,fd77::11",
		"--host-record=two.hosts.test,10.77.0.12",
		"--host-record=selfsigned.hosts.test,10.77.0.13",
		"--host-record=secure.hosts.test,10.77.0.14",
		"--host-record=busy.hosts.test,10.77.0.15",
		"--host-record=grey.hosts.test,10.77.0.16",
		"--host-record=refused.hosts.test," + refusedAddress,
		"--host-record=gone.hosts.test," + goneAddress,
		"--host-record=six.hosts.test,fd77::11",
		"--cname=alias.hosts.test,two.hosts.test",

		"--mx-host=preference.test,one.hosts.test,10", "--mx-host=preference.test,two.hosts.test,20",
		"--mx-host=equal.test,one.hosts.test,10", "--mx-host=equal.test,two.hosts.test,10",
		"--mx-host=refused.test,refused.hosts.test,10", "--mx-host=refused.test,two.hosts.test,20",
		"--mx-host=gone.test,gone.hosts.test,10", "--mx-host=gone.test,two.hosts.test,20",
		"--mx-host=busy.test,busy.hosts.test,10", "--mx-host=busy.test,two.hosts.test,20",
		"--mx-host=alias.test,alias.hosts.test,10",
		"--mx-host=six.test,six.hosts.test,10",
		"--mx-host=selfsigned.test,selfsigned.hosts.test,10",
		"--mx-host=grey.test,grey.hosts.test,10",
		"--mx-host=xn--80a1acny.test,two.hosts.test,10",
		"--host-record=implicit.test,10.77.0.12",
		"--mx-host=half.test,mx.servfail.test,10",
		"--dns-rr=null.test,15,000000", "--host-record=null.test,10.77.0.12", // preference 0, the root
		"--txt-record=silent-host.test,nothing else",
		"--server=/servfail.test/" + servfailAddress, "--server=/silent.test/" + goneAddress,

		"--mx-host=strict.test,secure.hosts.test,10",
		"--mx-host=wrong.test,selfsigned.hosts.test,10",
		"--mx-host=plain.test,two.hosts.test,10",
		"--mx-host=unnamed.test,secure.hosts.test,10",
		"--mx-host=trying.test,two.hosts.test,10",
	}
	for name := range worldPolicies {
		records = append(records, "--txt-record=_mta-sts."+name+".test,v=STSv1; id=1;",
			"--host-record=mta-sts."+name+".test,"+policyAddress)
	}
	for i := range 60 { // more than fits into a datagram
		records = append(records, fmt.Sprintf("--mx-host=many.test,two.a-host-with-quite-a-long-name-%d.hosts.test,%d", i, i),
			fmt.Sprintf("--host-record=two.a-host-with-quite-a-long-name-%d.hosts.test,10.77.0.12", i))
	}
	return records
}

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// newAuthority makes an authority and writes its certificate where the sender
// finds it.
func newAuthority(folder string) *authority {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of the test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(filepath.Join(folder, "authority.pem"), text, 0o600); err != nil {
		panic(err)
	}
	return &authority{must(x509.ParseCertificate(der)), key}
}

// issue makes a certificate for the names.
func (a *authority) issue(names ...string) *tls.Config {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der := must(x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key))
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	}
}

// must is for the world, which ends with its first error.
func must[T any](made T, err error) T {
	if err != nil {
		panic(err)
	}
	return made
}

// playWorld serves until its input ends and returns the exit code.
func playWorld() int {
	ca := newAuthority(os.Getenv(folderSetting))
	selfSigned, _, err := smtpsink.SelfSigned("selfsigned.hosts.test")
	if err != nil {
		panic(err)
	}
	var ending []func() error
	sink := func(name string, options smtpsink.Options, addresses ...string) {
		options.Answer = named(name, options.Answer)
		for _, address := range addresses {
			options.Addr = net.JoinHostPort(address, "25")
			ending = append(ending, must(smtpsink.Start(options)).Close)
		}
	}
	sink("one", smtpsink.Options{}, "10.77.0.11", "fd77::11")
	sink("two", smtpsink.Options{}, "10.77.0.12")
	sink("selfsigned", smtpsink.Options{TLS: selfSigned}, "10.77.0.13")
	sink("secure", smtpsink.Options{TLS: ca.issue("secure.hosts.test")}, "10.77.0.14")
	sink("busy", smtpsink.Options{Answer: at(smtpsink.StageConnect, smtpsink.Reply{Code: 421, Text: "too many connections"})}, "10.77.0.15")
	sink("grey", smtpsink.Options{Answer: greylist()}, "10.77.0.16")
	ending = append(ending, servePolicies(ca), serveFailures())

	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, end := range ending {
		if err := end(); err != nil {
			log.Print(err)
			return 1
		}
	}
	return 0
}

// named makes a sink say who took the mail, and whether over TLS.
func named(name string, answer func(smtpsink.Stage, smtpsink.Envelope) smtpsink.Reply) func(smtpsink.Stage, smtpsink.Envelope) smtpsink.Reply {
	return func(stage smtpsink.Stage, e smtpsink.Envelope) smtpsink.Reply {
		if answer != nil {
			if told := answer(stage, e); told != (smtpsink.Reply{}) {
				return told
			}
		}
		if stage != smtpsink.StageDot {
			return smtpsink.Reply{}
		}
		how := "in clear"
		if e.TLS {
			how = "over TLS"
		}
		return smtpsink.Reply{Code: 250, Text: "taken by " + name + " " + how}
	}
}

// greylist refuses each recipient once.
func greylist() func(smtpsink.Stage, smtpsink.Envelope) smtpsink.Reply {
	var mu sync.Mutex
	seen := map[string]bool{}
	return func(stage smtpsink.Stage, e smtpsink.Envelope) smtpsink.Reply {
		mu.Lock()
		defer mu.Unlock()
		if stage != smtpsink.StageRcpt || seen[e.To[0]] {
			return smtpsink.Reply{}
		}
		seen[e.To[0]] = true
		return smtpsink.Reply{Code: 450, Enhanced: "4.2.0", Text: "Recipient address rejected: Greylisted, try again in 6 minutes"}
	}
}

// servePolicies answers for mta-sts.….test.
func servePolicies(ca *authority) (end func() error) {
	var names []string
	for name := range worldPolicies {
		names = append(names, "mta-sts."+name+".test")
	}
	server := &http.Server{
		TLSConfig: ca.issue(names...), ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			name := strings.TrimSuffix(strings.TrimPrefix(r.Host, "mta-sts."), ".test")
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, worldPolicies[name])
		}),
	}
	listener := must(net.Listen("tcp", net.JoinHostPort(policyAddress, "443")))
	go func() { _ = server.ServeTLS(listener, "", "") }()
	return server.Close
}

// serveFailures answers every question with SERVFAIL.
func serveFailures() (end func() error) {
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, question *dns.Msg) {
		_ = w.WriteMsg(new(dns.Msg).SetRcode(question, dns.RcodeServerFailure))
	})
	server := &dns.Server{PacketConn: must(net.ListenPacket("udp", net.JoinHostPort(servfailAddress, "53"))), Handler: handler}
	go func() { _ = server.ActivateAndServe() }()
	return server.Shutdown
}
