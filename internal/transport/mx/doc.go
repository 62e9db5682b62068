// Package mx finds the mail servers of a recipient's domain and opens sessions
// with them: the way out that needs no relay.
//
// A Router turns a domain into a Route: the domain's mail exchangers in the
// order in which they are to be tried (RFC 5321, section 5.1), and its MTA-STS
// policy (RFC 8461). Route.Open connects to the first that answers. What a
// Router learns from DNS it keeps as long as DNS allows.
//
// Every Route belongs to a Site: all domains whose mail one provider takes. A
// provider counts our connections and mails over all of its domains, so a Site
// has the limits to begin with, and Site.Judge knows the words by which that
// provider says "slow down".
//
// Three promises hold at this border:
//
//   - Only a clear answer of DNS refuses mail for good. A name server that fails,
//     is silent or talks nonsense defers it (451 4.4.3).
//   - No connection is made to an address of this machine or of a private
//     network, whatever a stranger's DNS says, unless Options.AllowPrivate.
//   - Where the domain's policy asks for it, nothing is sent but over TLS to a
//     host that the policy names, with a certificate that was checked.
package mx
