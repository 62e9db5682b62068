package smtpsink

import (
	"fmt"
	"strings"
	"testing"
)

// flawless is a message that breaks nothing. Each test breaks it in one place.
const flawless = "From: =?utf-8?B?0J/RgNC40LLQtdGC?= <news@shop.test>\r\n" +
	"To: \"Anna B.\" <anna@mail.test>\r\n" +
	"Subject: =?utf-8?Q?caf=C3=A9?=\r\n" +
	"Date: Tue, 03 Nov 2026 07:05:09 +0300\r\n" +
	"Message-ID: <42.7@shop.test>\r\n" +
	"List-ID: <mailing-7.shop.test>\r\n" +
	"List-Unsubscribe: <https://shop.test/u/1>\r\n" +
	"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" +
	"Auto-Submitted: auto-generated\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=\"b1\"\r\n" +
	"\r\n" +
	"--b1\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n" +
	"Content-Transfer-Encoding: quoted-printable\r\n" +
	"\r\n" +
	"caf=C3=A9 and a long =\r\nline\r\n" +
	"\r\n--b1\r\n" +
	"Content-Type: image/png; name=\"a.png\"\r\n" +
	"Content-Disposition: attachment; filename=\"a.png\"\r\n" +
	"Content-Transfer-Encoding: base64\r\n" +
	"\r\n" +
	"aGVsbG8=\r\n" +
	"--b1\r\n" +
	"Content-Type: text/plain; charset=us-ascii\r\n" +
	"\r\n" +
	"plain\r\n" +
	"--b1--\r\n"

func TestAFlawlessMessageMeetsNoObjection(t *testing.T) {
	t.Parallel()
	if found := CheckMessage([]byte(flawless), false); len(found) > 0 {
		t.Errorf("objections %q", found)
	}
	inUTF8 := strings.Replace(flawless, "anna@", "анна@", 1)
	if found := CheckMessage([]byte(inUTF8), true); len(found) > 0 {
		t.Errorf("objections to a header in UTF-8: %q", found)
	}
}

func x(n int) string { return strings.Repeat("x", n) }

// breachesOfFormat are changes of the flawless message, and what is to be said.
var breachesOfFormat = []struct{ name, old, new, want string }{
	{"no end of the header", "\r\n\r\n", "\r\n", "header without an empty line behind it"},
	{"a header that begins with a fold", "From: ", " From: ", "header that begins with a continued line"},
	{"a line that is no field", "From: ", "From ", "line in the header that is no field"},
	{"a name with a space", "From: ", "From : ", "line in the header that is no field"},
	{"a header line of 999 octets", "42.7@", x(975) + "@", "Message-ID has more than 998 octets"},
	{"a long line with spaces", "\"Anna B.\"", "\"Anna " + x(70) + "\"", "To has more than 78 characters and could be folded"},
	{"a fold of nothing", "To: \"Anna B.\" ", "To: \"Anna B.\"\r\n \r\n ", "line of white space in the header"},
	{"white space at the end of a field", "42.7@shop.test>", "42.7@shop.test> ", "Message-ID ends in white space"},
	{"a control character", "Anna B.", "Anna\x01B.", "To has a control character"},
	{"UTF-8 in a header", "Anna B.", "Анна", "To is not ASCII"},
	{"UTF-8 in an address", "anna@", "анна@", "To has an address in UTF-8 without SMTPUTF8"},
	{"an encoded word on a long line", "<news@", "\"" + x(30) + "\" <news@", "From has an encoded word on a line of more than 76 characters"},
	{"an encoded word that is too long", "=?utf-8?Q?caf=C3=A9?=", "\r\n =?utf-8?Q?" + x(65) + "?=", "Subject has an encoded word of more than 75 characters"},
	{"half a character in an encoded word", "caf=C3=A9", "caf=C3", "Subject has an encoded word with a part of a character"},
	{"an encoded word with a space", "caf=C3=A9", "a=20b", ""},
	{"an encoded word with a raw sign", "caf=C3=A9", "a(b", "Subject has a malformed encoded word"},
	{"base64 that is none in an encoded word", "0J/RgNC40LLQtdGC", "0J/RgNC40LLQtdG", "From has an encoded word that cannot be read"},
	{"an empty encoded word", "caf=C3=A9", "", "Subject has an empty encoded word"},
	{"a control character in an encoded word", "caf=C3=A9", "a=0D=0ABcc", "Subject has a control character in an encoded word"},
	{"an encoded word in quotes", "\"Anna B.\"", "\"Anna =?utf-8?Q?B?= C\"", "To has an encoded word in a quoted string"},
	{"an encoded word that sticks to the next", "=A9?=", "=A9?=x", "Subject has an encoded word with no white space behind it"},
	{"an encoded word that sticks to the one before", "=?utf-8?Q?caf", "x=?utf-8?Q?caf", "Subject has an encoded word with no white space before it"},
	{"an encoded word in a Message-ID", "42.7@", "=?utf-8?Q?a?=@", "Message-ID has an encoded word where none may stand"},
	{"no From", "From: ", "X-From: ", "0 fields From instead of one"},
	{"two dates", "MIME-Version:", "Date: Tue, 03 Nov 2026 07:05:09 +0300\r\nMIME-Version:", "2 fields Date instead of one"},
	{"no Message-ID", "Message-ID:", "X-ID:", "0 fields Message-ID instead of one"},
	{"no To", "To:", "X-To:", "0 fields To instead of one"},
	{"two subjects", "To:", "Subject: x\r\nTo:", "2 fields Subject instead of one"},
	{"no MIME-Version", "MIME-Version:", "X-Version:", "0 fields MIME-Version instead of one"},
	{"another MIME-Version", "MIME-Version: 1.0", "MIME-Version: 2", `MIME-Version is "2"`},
	{"two Reply-To", "To:", "Reply-To: a@b.test\r\nReply-To: a@b.test\r\nTo:", "2 fields Reply-To instead of one at most"},
	{"a Bcc", "To:", "Bcc: a@b.test\r\nTo:", "Bcc shows who got a copy"},
	{"an address that is none", "<anna@mail.test>", "<anna mail.test>", "To is no list of mailboxes"},
	{"a date without a zone", " +0300", " MSK", "Date is no date"},
	{"a date on another day", "Tue, 03", "Wed, 03", "Date is not possible"},
	{"a Message-ID without @", "42.7@shop.test", "42.7", "Message-ID is no <left@right>"},
	{"a List-ID without brackets", "<mailing-7.shop.test>", "mailing-7.shop.test", "List-ID is no <domain>"},
	{"a List-ID of 256 octets", "<mailing-7.shop", "<mailing-7." + x(241), "List-ID is no <domain>"},
	{"a URL without brackets", "<https://shop.test/u/1>", "https://shop.test/u/1", "List-Unsubscribe is no list of <URL>"},
	{"a URL that is none", "<https://shop.test/u/1>", "<shop>", "List-Unsubscribe has something else than a URL"},
	{"one click without https", "<https://", "<http://", "List-Unsubscribe-Post without an https URL to post to"},
	{"another word for one click", "=One-Click", "=one", "List-Unsubscribe-Post is"},
	{"another word in Auto-Submitted", "auto-generated", "yes", `Auto-Submitted is "yes"`},
	{"a type that is none", "text/plain; charset=utf-8", "text/; charset", "Content-Type cannot be read"},
	{"a boundary with a bad sign", "boundary=\"b1\"", "boundary=\"b*1\"", `boundary "b*1" is not possible`},
	{"a boundary of 71 characters", "boundary=\"b1\"", "boundary=\"" + x(71) + "\"", "is not possible"},
	{"text without a charset", "; charset=utf-8", "", "text/plain without a charset"},
	{"a multipart in base64", "MIME-Version:", "Content-Transfer-Encoding: base64\r\nMIME-Version:", "multipart/mixed is encoded as base64"},
	{"no last boundary", "--b1--\r\n", "", "multipart without its last boundary line"},
	{"another boundary than announced", "\"b1\"", "\"b2\"", "multipart without parts"},
	{"a line like the boundary", "plain", "--b1x", "line that begins like the boundary and is none"},
	{"a field of a message in a part", "Content-Disposition:", "Subject: x\r\nContent-Disposition:", "part with the field Subject"},
	{"an encoding nobody knows", "Encoding: base64", "Encoding: uuencode", `encoding "uuencode"`},
	{"8-bit octets in a 7bit part", "plain\r\n", "plёin\r\n", "8-bit octets in a 7bit part"},
	{"a plain line of 999 octets", "plain\r\n", x(999) + "\r\n", "7bit line of more than 998 octets"},
	{"a quoted-printable line of 77", "caf=C3=A9", x(77) + "\r\n", "quoted-printable line of more than 76 characters"},
	{"an octet that should be quoted", "caf=C3=A9", "caf\x7f", "quoted-printable line with what should be encoded"},
	{"small digits", "caf=C3=A9", "caf=c3=a9", "quoted-printable line with what should be encoded"},
	{"an equals sign alone", "caf=C3=A9", "a=b", "quoted-printable line with what should be encoded"},
	{"white space at the end of a line", "caf=C3=A9 and", "caf \r\nand", "which gets lost"},
	{"text that is not UTF-8", "caf=C3=A9", "caf=E9", "text/plain that is not the UTF-8 it says it is"},
	{"a base64 line of 77", "aGVsbG8=", strings.Repeat("aGVs", 20), "base64 line of more than 76 characters"},
	{"base64 without padding", "aGVsbG8=", "aGVsbG8", "base64 that cannot be read"},
	{"base64 with a space", "aGVsbG8=", "aGVs bG8=", "base64 that cannot be read"},
	{"a file name with a path", "filename=\"a.png\"", "filename=\"/etc/a.png\"", "is not safe"},
	{"a disposition that is none", "attachment; ", "attachment; filename=\"b\"; ", "Content-Disposition cannot be read"},
}

func TestEveryBreachOfTheFormatIsSeen(t *testing.T) {
	t.Parallel()
	for _, test := range breachesOfFormat {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			broken := strings.ReplaceAll(flawless, test.old, test.new)
			if broken == flawless {
				t.Fatalf("%q is not in the message", test.old)
			}
			found := strings.Join(CheckMessage([]byte(broken), false), "\n")
			if !strings.Contains(found, test.want) || (found == "") != (test.want == "") {
				t.Errorf("objections %q, want %q", found, test.want)
			}
		})
	}
}

func TestMultipartsInMultipartsEnd(t *testing.T) {
	t.Parallel()
	header, _, _ := strings.Cut(flawless, "Content-Type:")
	var deep strings.Builder
	for n := range 2 * maxDepth {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%02d\r\n\r\n--b%02d\r\n", n, n)
	}
	for n := 2*maxDepth - 1; n >= 0; n-- {
		fmt.Fprintf(&deep, "\r\n--b%02d--\r\n", n)
	}
	found := strings.Join(CheckMessage([]byte(header+deep.String()), false), "\n")
	if !strings.Contains(found, "parts in parts without end") {
		t.Errorf("objections %q", found)
	}
}

func FuzzCheckMessage(f *testing.F) {
	f.Add([]byte(flawless))
	f.Add([]byte("a:\r\n\r\n"))
	f.Add([]byte(" \r\n\r\n--"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first := CheckMessage(data, false)
		if second := CheckMessage(data, false); strings.Join(first, "\n") != strings.Join(second, "\n") {
			t.Errorf("objections %q, then %q", first, second)
		}
	})
}
