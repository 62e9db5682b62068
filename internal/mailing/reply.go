package mailing

import (
	"strconv"
	"strings"
)

// Reply is what a mail server answered (RFC 5321, section 4.2).
type Reply struct {
	Code     int    // three digits; 0 when no answer came
	Enhanced string // "5.1.1" (RFC 3463); empty when the server gave none
	Text     string // all lines, without codes, joined by "\n"; valid UTF-8
}

// Throttles reports whether the server says that we are too fast or too many: 421
// (RFC 5321, section 3.8), and 4.7.x, by which policies defer (RFC 3463, section
// 3.8, and what large providers do with it).
func (r Reply) Throttles() bool { return r.Code == 421 || strings.HasPrefix(r.Enhanced, "4.7.") }

// Accepted reports whether the server took responsibility (2yz).
func (r Reply) Accepted() bool { return r.Code >= 200 && r.Code < 300 }

// Transient reports whether trying again later makes sense (4yz).
func (r Reply) Transient() bool { return r.Code >= 400 && r.Code < 500 }

// Permanent reports whether trying again is of no use (5yz).
func (r Reply) Permanent() bool { return r.Code >= 500 && r.Code < 600 }

// String gives the reply as it would stand on one line of a log.
func (r Reply) String() string {
	if r.Code == 0 {
		return r.Text
	}
	text := strconv.Itoa(r.Code)
	if r.Enhanced != "" {
		text += " " + r.Enhanced
	}
	if r.Text != "" {
		text += " " + r.Text
	}
	return text
}
