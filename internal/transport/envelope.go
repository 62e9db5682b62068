package transport

import (
	"encoding/binary"
	"fmt"
	"strings"

	"vestnik/internal/mailing"
)

// unsent is how refusals of our own begin.
const unsent = "not sent: "

// cannotTake answers in the server's place what it has announced it would not
// take, or what nobody could say; Code 0 when the mail may go. It completes env.
func (s *Session) cannotTake(env *Envelope, message []byte) (mailing.Reply, Stage) {
	if refused, stage := checkAddresses(env); refused.Code != 0 {
		return refused, stage
	}
	if env.Size == 0 {
		env.Size = len(message)
	}
	env.UTF8 = env.UTF8 || !isASCII(env.From) || !isASCII(env.To)
	env.EightBit = env.EightBit || !isASCII(message)
	switch {
	case env.UTF8 && !s.offers.utf8:
		// RFC 6531, section 3.2; 5.6.7 is from its section 4.2.
		return mailing.Reply{Code: 553, Enhanced: "5.6.7", Text: unsent +
			s.host + " offers no SMTPUTF8, which this address or message needs"}, StageRcpt
	case env.EightBit && !s.offers.eightBit:
		// RFC 6152, section 3; 5.6.3 is from RFC 3463, section 3.7.
		return mailing.Reply{Code: 554, Enhanced: "5.6.3", Text: unsent +
			s.host + " offers no 8BITMIME, which this message needs"}, StageData
	case s.offers.maxSize > 0 && env.Size > s.offers.maxSize:
		// RFC 1870, section 6.1; 5.3.4 is from RFC 3463, section 3.4.
		return mailing.Reply{Code: 552, Enhanced: "5.3.4", Text: fmt.Sprintf("%s%s takes %d octets at most, the message has %d",
			unsent, s.host, s.offers.maxSize, env.Size)}, StageData
	}
	return mailing.Reply{}, ""
}

// checkAddresses refuses what could not stand between "<" and ">" on one line;
// the enhanced codes are from RFC 3463, section 3.2.
func checkAddresses(env *Envelope) (mailing.Reply, Stage) {
	if env.From != "" && !isPath(env.From) {
		return mailing.Reply{Code: 553, Enhanced: "5.1.7", Text: unsent + "the sender's address is malformed"}, StageMail
	}
	if !isPath(env.To) {
		return mailing.Reply{Code: 553, Enhanced: "5.1.3", Text: unsent + "the address is malformed"}, StageRcpt
	}
	return mailing.Reply{}, ""
}

func isPath(address string) bool {
	for i := range len(address) {
		if b := address[i]; b <= ' ' || b == '<' || b == '>' || b == 127 {
			return false
		}
	}
	at := strings.LastIndexByte(address, '@')
	return at > 0 && at < len(address)-1
}

func isASCII[T string | []byte](text T) bool {
	b := []byte(text)
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range b {
		if c > 127 {
			return false
		}
	}
	return true
}
