package mx

import (
	"slices"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/transport"
)

// reply reads "450 4.2.0 text"; the enhanced code may be missing.
func reply(t *testing.T, line string) mailing.Reply {
	t.Helper()
	words := strings.SplitN(line, " ", 3)
	made := mailing.Reply{Code: int(words[0][0]-'0')*100 + int(words[0][1]-'0')*10 + int(words[0][2]-'0')}
	if len(words) > 1 && strings.Count(words[1], ".") == 2 {
		made.Enhanced, made.Text = words[1], strings.Join(words[2:], " ")
	} else {
		made.Text = strings.Join(words[1:], " ")
	}
	return made
}

func TestSiteOf(t *testing.T) {
	known := loadProviders()
	cases := map[string]string{
		"gmail-smtp-in.l.google.com":             "google",
		"aspmx2.googlemail.com":                  "google",
		"smtp.google.com":                        "google",
		"outlook-com.olc.protection.outlook.com": "microsoft",
		"shop-test.mail.protection.outlook.com":  "office365",
		"shop-test.h-v1.mx.microsoft":            "office365",
		"mx-aol.mail.gm0.yahoodns.net":           "yahoo",
		"mxs.mail.ru":                            "mailru",
		"mx.yandex.net":                          "yandex",
		"inmx.rambler.ru":                        "rambler",
		"mx01.mail.icloud.com":                   "apple",
		"mx-ha02.web.de":                         "gmx",
		"mx00.t-online.de":                       "t-online",
		"smtp-in.orange.fr":                      "orange",
		"mx1.free.fr":                            "free",
		"mx1.mxge.comcast.net":                   "comcast",
		"mx2.zoho.eu":                            "zoho",
		"mail.protonmail.ch":                     "proton",
		"in1-smtp.messagingengine.com":           "fastmail",
		"mxbiz1.qq.com":                          "qq",
		"163mx01.mxmail.netease.com":             "netease",
		"mx1.hosting.test":                       "hosting.test",
		"a.b.mail.co.uk":                         "mail.co.uk",
		"notmail.ru":                             "notmail.ru",
		"google.com.evil.test":                   "evil.test",
		"mx.eu.hosting.test":                     "hosting.test",
		"com":                                    "com",
	}
	for host, want := range cases {
		if got := known.siteOf(host).Key; got != want {
			t.Errorf("%s belongs to %s, want %s", host, got, want)
		}
	}
}

func TestProvidersFile(t *testing.T) {
	known := loadProviders()
	used := map[string]bool{}
	checkRules := func(of string, rules []rule) {
		for i, r := range rules {
			if !slices.Contains([]Meaning{Throttled, Reputation, Greylisted, MailboxFull, NoSuchUser}, r.Means) {
				t.Errorf("%s: reply %d means %q", of, i, r.Means)
			}
			if len(r.Enhanced) == 0 && len(r.Says) == 0 {
				t.Errorf("%s: reply %d fits everything", of, i)
			}
			for _, words := range r.Says {
				if words != oneLine(words) || len(words) < 6 {
					t.Errorf("%s: %q is never found, or everywhere", of, words)
				}
			}
			if _, documented := known.sources[r.Source]; !documented && r.Source != "chosen" {
				t.Errorf("%s: reply %d has no source: %q", of, i, r.Source)
			}
			used[r.Source] = true
		}
	}
	titles := map[string]string{}
	for id, document := range known.sources {
		titles[document.Title] = id
		if document.Title == "" || !strings.HasPrefix(document.URL, "http") {
			t.Errorf("source %s is %+v", id, document)
		}
	}
	checkLimits := func(of string, limits Limits) {
		for _, limit := range []Limit{limits.Connections, limits.MessagesPerConnection, limits.PerSecond, limits.PerHour} {
			if limit.Value < 1 || limit.Value > 100_000 {
				t.Errorf("%s: limit %d", of, limit.Value)
			}
			if _, documented := titles[limit.Source]; !documented && limit.Source != "chosen" {
				t.Errorf("%s: a limit has no source: %q", of, limit.Source)
			}
			used[titles[limit.Source]] = true
		}
	}
	checkLimits("unknown", known.unknown)
	checkRules("replies", known.rules)
	names := map[string]string{}
	for _, p := range known.providers {
		if p.ID == "" || strings.Contains(p.ID, ".") || p.Name == "" || len(p.MX) == 0 {
			t.Errorf("provider %+v: a key with a dot could be a domain's", p)
		}
		checkLimits(p.ID, p.Limits)
		checkRules(p.ID, p.Rules)
		for _, name := range p.MX {
			for other, owner := range names {
				if strings.HasSuffix("."+name, "."+other) || strings.HasSuffix("."+other, "."+name) {
					t.Errorf("%s of %s and %s of %s are one", name, p.ID, other, owner)
				}
			}
			names[name] = p.ID
		}
	}
	for id := range known.sources {
		if !used[id] {
			t.Errorf("source %s is used by nothing", id)
		}
	}
}

func TestAMisspelledProvidersFileIsRefused(t *testing.T) {
	for _, text := range []string{`{"unknwon": {}}`, `{"replies": [{"meens": "throttled"}]}`, `{`} {
		if _, err := parseProviders([]byte(text)); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

func TestRead(t *testing.T) {
	cases := []struct {
		host, line string
		want       Meaning
		retry      time.Duration
	}{
		// Texts as the providers send them.
		{"smtp.google.com", "421 4.7.28 [192.0.2.1 15] Our system has detected an unusual rate of\nunsolicited mail originating from your IP address.", Throttled, 0},
		{"smtp.google.com", "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages", Throttled, 0},
		{"smtp.google.com", "421 4.7.0 Our system has detected that this message is suspicious due to the very low reputation of the sending domain", Reputation, 0},
		{"smtp.google.com", "452 4.2.2 The email account that you tried to reach is over quota", MailboxFull, 0},
		{"smtp.google.com", "550 5.1.1 The email account that you tried to reach does not exist", NoSuchUser, 0},
		{"a.olc.protection.outlook.com", "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.", Throttled, 0},
		{"a.olc.protection.outlook.com", "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).", Reputation, 0},
		{"a.olc.protection.outlook.com", "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)", NoSuchUser, 0},
		{"a.mail.protection.outlook.com", "550 5.7.606 Access denied, banned sending IP [192.0.2.1].", Reputation, 0},
		{"a.mail.protection.outlook.com", "550 5.4.1 [anna@shop.test]: Recipient address rejected: Access denied [X.prod.protection.outlook.com]", NoSuchUser, 0},
		{"mta5.am0.yahoodns.net", "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints", Throttled, 2 * time.Hour},
		{"mta5.am0.yahoodns.net", "553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed.", Reputation, 0},
		{"mta5.am0.yahoodns.net", "554 delivery error: dd This user doesn't have a yahoo.com account (anna@yahoo.com)", NoSuchUser, 0},
		{"mxs.mail.ru", "451 Ratelimit exceeded for mailbox news@shop.test. Try again later.", Throttled, 0},
		{"mxs.mail.ru", "550 Message was not accepted -- invalid mailbox.  Local mailbox anna@mail.ru is unavailable: user not found", NoSuchUser, 0},
		{"mx.yandex.ru", "554 5.7.1 [1] Message rejected under suspicion of SPAM", Reputation, 0},
		{"mx.yandex.ru", "550 5.7.1 No such user!", NoSuchUser, 0},
		{"mx01.mail.icloud.com", "421 4.7.1 Messages to anna@icloud.com deferred due to excessive volume.", Throttled, 0},
		{"mx00.gmx.net", "554 gmx.net (mxgmx104) Nemesis ESMTP Service not available\nNo SMTP service\nIP address is block listed.", Reputation, 0},
		{"mx00.t-online.de", "554 IP=192.0.2.1 - None/bad reputation. Ask your postmaster for help (NOWL)", Reputation, 0},
		{"smtp-in.orange.fr", "421 mwinf5c79 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR005_104 [104]", Throttled, 0},
		{"smtp-in.orange.fr", "421 mwinf5c77 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR_999 [999]", Throttled, 2 * time.Hour},
		{"mx1.qq.com", "550 Ip frequency limited [abc IP: 192.0.2.1].", Throttled, time.Hour},
		{"163mx01.mxmail.netease.com", "554 DT:SPM 163 mx1,see http://mail.163.com/help/help_spam_16.htm", Reputation, 0},
		{"mx1.mxge.comcast.net", "421 resimta Too many sessions opened", Throttled, 0},

		// What everybody says.
		{"mx.shop.test", "450 4.2.0 <anna@shop.test>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/shop.test.html", Greylisted, 5 * time.Minute},
		{"mx.shop.test", "451 4.7.1 Greylisting in action, please come back in 00:10:00", Greylisted, 10*time.Minute + 10*time.Second},
		{"mx.shop.test", "450 4.7.1 Greylisted for 7 minutes", Greylisted, 7*time.Minute + 10*time.Second},
		{"mx.shop.test", "451 4.7.1 Greylisted, please try again in 180 seconds", Greylisted, 5 * time.Minute},
		{"mx.shop.test", "451 4.7.1 GREYLISTED: come back in 86400 seconds", Greylisted, 5 * time.Minute}, // no 16-bit number
		{"mx.shop.test", "451 4.7.1 Greylisted, try again in 600 minutes", Greylisted, time.Hour},
		{"mx.shop.test", "550 5.7.1 You are on our greylist for good", Unwelcome, 0}, // a 5yz is not to be tried again
		{"mx.shop.test", "452 4.2.2 Mailbox full", MailboxFull, 0},
		{"mx.shop.test", "552 Requested mail action aborted: exceeded storage allocation", MailboxFull, 0},
		{"mx.shop.test", "550 5.1.1 anna: gone", NoSuchUser, 0},
		{"mx.shop.test", "550 User unknown in local recipient table", NoSuchUser, 0},
		{"mx.shop.test", "421 4.7.0 mx.shop.test Error: too many connections from 192.0.2.1", Throttled, 0},
		{"mx.shop.test", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", Reputation, 0},
		{"mx.shop.test", "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", Unwelcome, 0},
		{"mx.shop.test", "550 5.7.26 This mail is unauthenticated", Unwelcome, 0},
		{"mx.shop.test", "451 4.7.5 not sent: the domain's MTA-STS policy forbids it", Other, 0}, // cryptography
		{"mx.shop.test", "451 4.3.0 Temporary lookup failure", Other, 0},
		{"mx.shop.test", "552 5.3.4 Message too big", Other, 0},
		{"mx.shop.test", "250 2.0.0 Ok, greylisted no more", Other, 0},
	}
	known := loadProviders()
	for _, c := range cases {
		got := known.siteOf(c.host).Read(reply(t, c.line))
		if got.Meaning != c.want || got.RetryAfter != c.retry {
			t.Errorf("%s says %q: %+v, want %q after %v", c.host, c.line, got, c.want, c.retry)
		}
	}
	t.Run("no answer means nothing", func(t *testing.T) {
		if got := known.siteOf("mx.shop.test").Read(mailing.Reply{Text: "greylisted"}); got != (Reading{}) {
			t.Errorf("got %+v", got)
		}
	})
}

func TestSiteJudge(t *testing.T) {
	us := mailing.Verdict{Result: mailing.AttemptDeferred, Blame: mailing.BlameUs}
	mailbox := mailing.Verdict{Result: mailing.AttemptFailed, Blame: mailing.BlameMailbox}
	message := mailing.Verdict{Result: mailing.AttemptFailed, Blame: mailing.BlameMessage}
	later := mailing.Verdict{Result: mailing.AttemptDeferred}
	cases := []struct {
		name, host, line string
		stage            transport.Stage
		want             mailing.Verdict
	}{
		{"too fast is no bounce, whatever the code", "mx1.qq.com", "550 Ip frequency limited", transport.StageRcpt, us},
		{"a bad reputation is no bounce either", "mx.shop.test", "550 Your address is on our blacklist", transport.StageRcpt, us},
		{"no such user is a bounce, whatever the code", "mx.yandex.ru", "550 5.7.1 No such user!", transport.StageRcpt, mailbox},
		{"also after the message", "mta5.am0.yahoodns.net", "554 delivery error: dd This user doesn't have a yahoo.com account", transport.StageDot, mailbox},
		{"but not as a greeting", "mx.shop.test", "550 no such user", transport.StageBanner, us},
		{"nor as a 4yz", "mx.shop.test", "450 4.1.1 User unknown", transport.StageRcpt, later},
		{"a full mailbox is there", "mx.shop.test", "550 mailbox full", transport.StageRcpt, message},
		{"and may be emptied", "mx.shop.test", "452 4.2.2 mailbox full", transport.StageRcpt, later},
		{"greylisting blames nobody, also at the greeting", "mx.shop.test", "451 greylisted", transport.StageBanner, later},
		{"what says nothing special is judged by its code", "mx.shop.test", "552 5.3.4 too big", transport.StageDot, message},
		{"acceptance is one", "mx.shop.test", "250 2.0.0 queued", transport.StageDot, mailing.Verdict{Result: mailing.AttemptAccepted}},
	}
	known := loadProviders()
	for _, c := range cases {
		if got, _ := known.siteOf(c.host).Judge(reply(t, c.line), c.stage); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	t.Run("no answer after the dot stays without a verdict of ours", func(t *testing.T) {
		lost := mailing.Reply{Text: "no such user: the connection was lost"}
		if got, reading := known.siteOf("mx.shop.test").Judge(lost, transport.StageDot); got != mailing.Judge(lost, "dot") || reading != (Reading{}) {
			t.Errorf("%+v, %+v", got, reading)
		}
	})
}
