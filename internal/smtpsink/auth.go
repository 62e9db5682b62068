package smtpsink

import (
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
)

// commandAuth does PLAIN (RFC 4616) and LOGIN, each with or without an initial
// response.
func (c *conversation) commandAuth(argument string) {
	mechanism, initial, _ := strings.Cut(argument, " ")
	mechanism = strings.ToUpper(mechanism)
	if c.server.options.Username == "" || !slices.Contains(c.server.options.Mechanisms, mechanism) {
		c.respond(StageAuth, c.standard(504, "5.5.4", "no such mechanism"))
		return
	}
	var user, password string
	var ok bool
	if mechanism == "PLAIN" {
		user, password, ok = c.plain(initial)
	} else {
		user, password, ok = c.login(initial)
	}
	if c.over {
		return
	}
	if !ok || !same(user, c.server.options.Username) || !same(password, c.server.options.Password) {
		c.respond(StageAuth, c.standard(535, "5.7.8", "no"))
		return
	}
	if c.respond(StageAuth, c.standard(235, "2.7.0", "welcome")) {
		c.user = user
	}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (c *conversation) plain(initial string) (user, password string, ok bool) {
	if initial == "" {
		initial = c.ask("")
	}
	decoded, err := base64.StdEncoding.DecodeString(initial)
	parts := strings.Split(string(decoded), "\x00")
	if err != nil || len(parts) != 3 {
		return "", "", false
	}
	return parts[1], parts[2], true
}

func (c *conversation) login(initial string) (user, password string, ok bool) {
	if initial == "" {
		initial = c.ask("Username:")
	}
	decodedUser, err := base64.StdEncoding.DecodeString(initial)
	if err != nil || c.over {
		return "", "", false
	}
	decodedPassword, err := base64.StdEncoding.DecodeString(c.ask("Password:"))
	return string(decodedUser), string(decodedPassword), err == nil
}

// ask sends a challenge and returns the response as it came.
func (c *conversation) ask(challenge string) string {
	c.write(Reply{Code: 334, Text: base64.StdEncoding.EncodeToString([]byte(challenge))})
	c.flush()
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		c.over = true
		return ""
	}
	return strings.TrimRight(string(line), "\r\n")
}
