package auth

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"vestnik/internal/mailing"
)

// Passkeys has browsers make passkeys for one site and prove that a person has them
// (Web Authentication Level 3). It stores nothing: what it returns as state is to be
// kept from the challenge to the answer, where the browser cannot change it, and used
// once. It is safe for concurrent use.
type Passkeys struct{ party *webauthn.WebAuthn }

// Holder is an account with the records of its passkeys.
type Holder struct {
	ID          int64
	Email, Name string
	Records     []string
}

// Proof is what an answer has proved: that somebody has the passkey with the id. Its
// record has changed by that.
type Proof struct {
	Account      int64
	CredentialID string
	Record       string
}

// NewPasskeys returns passkeys for the site at the address, whose name the browser
// shows; nil where browsers allow none: at a number in place of a name, and without
// TLS elsewhere than on the machine itself.
func NewPasskeys(baseURL, name string) *Passkeys {
	site, err := url.Parse(baseURL)
	if err != nil || !mayHavePasskeys(site) {
		return nil
	}
	party, err := webauthn.New(&webauthn.Config{
		RPID: site.Hostname(), RPDisplayName: name, RPOrigins: []string{site.Scheme + "://" + site.Host},
		AttestationPreference: protocol.PreferNoAttestation, // whose make a key is, is none of our business
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationPreferred,
		},
	})
	if err != nil {
		return nil
	}
	return &Passkeys{party}
}

func mayHavePasskeys(site *url.URL) bool {
	host := site.Hostname()
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return false
	}
	return site.Scheme == "https" || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// Make returns what a browser needs to make a passkey, as JSON.
func (p *Passkeys) Make(h Holder) (options, state string, err error) {
	who, err := h.user()
	if err != nil {
		return "", "", err
	}
	var known []protocol.CredentialDescriptor
	for _, c := range who.credentials {
		known = append(known, c.Descriptor())
	}
	creation, session, err := p.party.BeginRegistration(who, webauthn.WithExclusions(known))
	if err != nil {
		return "", "", fmt.Errorf("auth: begin passkey: %w", err)
	}
	return asJSON(creation.Response), asJSON(session), nil
}

// Made checks the browser's answer and returns the new passkey. An answer that is
// wrong is "passkey_refused".
func (p *Passkeys) Made(h Holder, state, answer string) (Proof, error) {
	session, err := sessionOf(state)
	if err != nil {
		return Proof{}, err
	}
	who, err := h.user()
	if err != nil {
		return Proof{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return Proof{}, refused(err)
	}
	credential, err := p.party.CreateCredential(who, session, parsed)
	if err != nil {
		return Proof{}, refused(err)
	}
	return proofOf(h.ID, credential), nil
}

// Ask returns what a browser needs to prove that a person has one of the holder's
// passkeys, as JSON.
func (p *Passkeys) Ask(h Holder) (options, state string, err error) {
	who, err := h.user()
	if err != nil {
		return "", "", err
	}
	assertion, session, err := p.party.BeginLogin(who)
	return challenge(assertion, session, err)
}

// AskAnybody is Ask for whoever has a passkey. It stands for a password as well, so the
// device has to make sure who holds it.
func (p *Passkeys) AskAnybody() (options, state string, err error) {
	assertion, session, err := p.party.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	return challenge(assertion, session, err)
}

func challenge(assertion *protocol.CredentialAssertion, session *webauthn.SessionData, err error) (string, string, error) {
	if err != nil {
		return "", "", fmt.Errorf("auth: ask for passkey: %w", err)
	}
	return asJSON(assertion.Response), asJSON(session), nil
}

// Check checks the browser's answer to Ask.
func (p *Passkeys) Check(h Holder, state, answer string) (Proof, error) {
	session, parsed, err := answered(state, answer)
	if err != nil {
		return Proof{}, err
	}
	who, err := h.user()
	if err != nil {
		return Proof{}, err
	}
	credential, err := p.party.ValidateLogin(who, session, parsed)
	return checked(h.ID, credential, err)
}

// CheckAnybody checks the browser's answer to AskAnybody. Find returns the holder with
// the id; its errors are returned.
func (p *Passkeys) CheckAnybody(state, answer string, find func(id int64) (Holder, error)) (Proof, error) {
	session, parsed, err := answered(state, answer)
	if err != nil {
		return Proof{}, err
	}
	var lost error // the library does not pass it on
	user, credential, err := p.party.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		if len(handle) != 8 {
			return nil, refused(nil)
		}
		h, err := find(int64(binary.BigEndian.Uint64(handle)))
		if err != nil {
			lost = err
			return nil, err
		}
		return h.user()
	}, session, parsed)
	if lost != nil {
		return Proof{}, lost
	}
	if err != nil {
		return Proof{}, refused(err)
	}
	return checked(int64(binary.BigEndian.Uint64(user.WebAuthnID())), credential, nil)
}

func answered(state, answer string) (webauthn.SessionData, *protocol.ParsedCredentialAssertionData, error) {
	session, err := sessionOf(state)
	if err != nil {
		return session, nil, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return session, nil, refused(err)
	}
	return session, parsed, nil
}

// checked refuses a key whose count goes back, since there are two of it.
func checked(account int64, credential *webauthn.Credential, err error) (Proof, error) {
	if err != nil {
		return Proof{}, refused(err)
	}
	if credential.Authenticator.CloneWarning {
		return Proof{}, refused(fmt.Errorf("auth: the count of passkey %x went back", credential.ID))
	}
	return proofOf(account, credential), nil
}

func proofOf(account int64, c *webauthn.Credential) Proof {
	return Proof{Account: account, CredentialID: base64.RawURLEncoding.EncodeToString(c.ID), Record: asJSON(c)}
}

func refused(cause error) error {
	return mailing.Fault(mailing.Invalid, "passkey_refused").Because(cause)
}

func sessionOf(state string) (webauthn.SessionData, error) {
	var session webauthn.SessionData
	if err := json.Unmarshal([]byte(state), &session); err != nil {
		return session, fmt.Errorf("auth: state of a passkey: %w", err)
	}
	return session, nil
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic("auth: what the library returns is plain data: " + err.Error())
	}
	return string(text)
}

// holder is a Holder as the library wants it.
type holder struct {
	Holder
	credentials []webauthn.Credential
}

func (h Holder) user() (holder, error) {
	who := holder{Holder: h}
	for _, record := range h.Records {
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(record), &c); err != nil {
			return who, fmt.Errorf("auth: record of a passkey: %w", err)
		}
		who.credentials = append(who.credentials, c)
	}
	return who, nil
}

// WebAuthnID implements webauthn.User. Our ids are random and tell nothing.
func (h holder) WebAuthnID() []byte { return binary.BigEndian.AppendUint64(nil, uint64(h.ID)) }

// WebAuthnName implements webauthn.User.
func (h holder) WebAuthnName() string { return h.Email }

// WebAuthnDisplayName implements webauthn.User.
func (h holder) WebAuthnDisplayName() string { return h.Name }

// WebAuthnCredentials implements webauthn.User.
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }
