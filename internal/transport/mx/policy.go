package mx

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PolicyMode is what a domain wants of those who send to it (RFC 8461, section
// 5).
type PolicyMode string

// The modes.
const (
	PolicyEnforce PolicyMode = "enforce" // send securely or not at all
	PolicyTesting PolicyMode = "testing" // send as without a policy
	PolicyNone    PolicyMode = "none"    // there is no policy any more
)

// Policy is an MTA-STS policy (RFC 8461, section 3.2).
type Policy struct {
	Mode   PolicyMode
	MX     []string      // names of hosts in lower case; "*." stands for one label
	MaxAge time.Duration // for how long it holds after it was fetched
}

// maxPolicyAge is the longest a policy may hold (RFC 8461, section 3.2): about a
// year. What says more holds as long.
const maxPolicyAge = 31557600 * time.Second

func (p *Policy) enforced() bool { return p != nil && p.Mode == PolicyEnforce }

// names reports whether a host is one of those in the policy (RFC 8461, section
// 4.1).
func (p *Policy) names(host string) bool {
	return slices.ContainsFunc(p.MX, func(pattern string) bool {
		rest, wild := strings.CutPrefix(pattern, "*")
		if !wild {
			return pattern == host
		}
		label, found := strings.CutSuffix(host, rest)
		return found && label != "" && !strings.Contains(label, ".")
	})
}

// parsePolicy reads a policy file by the grammar of RFC 8461, section 3.2. What
// it does not know it passes over, as the grammar asks; of a field that must
// stand once the first counts. One thing is tolerated: blank lines at the end.
func parsePolicy(text []byte) (*Policy, error) {
	fields := map[string]string{}
	policy := &Policy{}
	for i, line := range bytes.Split(bytes.TrimRight(text, "\r\n\t "), []byte("\n")) {
		name, value, err := cutField(string(bytes.TrimSuffix(line, []byte("\r"))))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if name == "mx" {
			policy.MX = append(policy.MX, strings.ToLower(value))
		} else if _, again := fields[name]; !again {
			fields[name] = value
		}
	}
	if version := fields["version"]; version != "STSv1" {
		return nil, fmt.Errorf("version %q", version)
	}
	policy.Mode = PolicyMode(fields["mode"])
	if err := policy.readAge(fields["max_age"]); err != nil {
		return nil, err
	}
	return policy, policy.check()
}

// cutField takes "name: value" apart.
func cutField(line string) (name, value string, err error) {
	name, value, found := strings.Cut(line, ":")
	if !found || !isFieldName(name) {
		return "", "", fmt.Errorf("no field: %.80q", line)
	}
	value = strings.Trim(value, " \t")
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 127 }) {
		return "", "", fmt.Errorf("control characters in %s", name)
	}
	return name, value, nil
}

// isFieldName: a letter or digit, then up to 31 of these, "_", "-" and ".".
func isFieldName(name string) bool {
	if name == "" || len(name) > 32 || !isAlphanumeric(name[:1]) {
		return false
	}
	return isAlphanumeric(strings.NewReplacer("_", "", "-", "", ".", "").Replace(name))
}

func isAlphanumeric(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
	})
}

func (p *Policy) readAge(text string) error {
	seconds, err := strconv.ParseUint(text, 10, 34) // ten digits at most
	if err != nil || len(text) > 10 {
		return fmt.Errorf("max_age %q", text)
	}
	p.MaxAge = time.Duration(min(seconds, uint64(maxPolicyAge/time.Second))) * time.Second
	return nil
}

func (p *Policy) check() error {
	switch p.Mode {
	case PolicyNone:
		return nil
	case PolicyEnforce, PolicyTesting:
	default:
		return fmt.Errorf("mode %q", p.Mode)
	}
	if len(p.MX) == 0 {
		return errors.New("no mx")
	}
	for _, pattern := range p.MX {
		if name := strings.TrimPrefix(pattern, "*."); !isHostName(name) {
			return fmt.Errorf("mx %q", pattern)
		}
	}
	return nil
}

// parseAnnouncement reads the TXT records at _mta-sts and returns the policy's
// id; empty when there is not exactly one announcement, or when it is malformed
// (RFC 8461, section 3.1).
func parseAnnouncement(texts []string) (id string) {
	texts = slices.DeleteFunc(slices.Clone(texts), func(text string) bool { return !strings.HasPrefix(text, "v=STSv1;") })
	if len(texts) != 1 {
		return ""
	}
	for _, field := range strings.Split(strings.TrimRight(texts[0], "; \t"), ";")[1:] {
		name, value, found := strings.Cut(strings.Trim(field, " \t"), "=")
		if !found || !isFieldName(name) {
			return ""
		}
		if name == "id" && id == "" {
			if value == "" || len(value) > 32 || !isAlphanumeric(value) {
				return ""
			}
			id = value
		}
	}
	return id
}
