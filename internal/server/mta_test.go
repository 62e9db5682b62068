package server_test

import (
	"bufio"
	"fmt"
	"io/fs"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

// sendTo sends a mailing to n clients through the mail server at addr and returns
// its run, which is over.
func (h *house) sendTo(addr string, n int) (run int64) {
	h.t.Helper()
	h.importClients(n)
	h.serve(addr).says("pages are served", 30*time.Second)
	asked := time.Now()
	run = h.sendNow(h.mailing(mailing.NeverTwice))
	h.awaitEnd(run, 3*time.Minute)
	report(h.t, addr, n, asked, time.Time{})
	return run
}

// publicDir is a temporary folder that other users may enter.
func publicDir(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// awaitListener waits until something listens on addr.
func awaitListener(t *testing.T, addr string) {
	t.Helper()
	await(t, 20*time.Second, addr+" is listened on", func() bool {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	})
}

func TestSMTPSink(t *testing.T) {
	t.Parallel()
	program := needProgram(t, "smtp-sink", "postfix")
	dir := publicDir(t, "vestnik-smtp-sink-")
	addr := freeAddr(t)
	args := []string{"-D", "mails", addr, "1000"}
	if os.Geteuid() == 0 { // it refuses to serve as root
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		args = append([]string{"-u", "nobody"}, args...)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	awaitListener(t, addr)
	h := newHouse(t, storetest.SQLiteURL(t))
	n := asMany(2000, many)
	run := h.sendTo(addr, n)
	t.Run("each client gets exactly one mail by Postfix's test server", func(t *testing.T) {
		h := h.in(t)
		copies := grepCopies(t, filepath.Join(dir, "mails"), regexp.MustCompile(`^X-Rcpt-Args: <([^>]+)>`))
		if inDoubt := h.account(run, copies, 1); len(inDoubt) > 0 || len(copies) != n {
			t.Errorf("%d are in doubt and %d have a mail, want 0 and %d", len(inDoubt), len(copies), n)
		}
		h.checkAcceptedLog(run, n, "")
	})
}

// grepCopies counts the lines of a file by what the expression finds in them.
func grepCopies(t *testing.T, path string, address *regexp.Regexp) map[string]int {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	copies := map[string]int{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			copies[found[1]]++
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return copies
}

// strictSettings make Postfix refuse everything that a careful server may refuse
// (postconf(5)), and discard what it takes. It keeps out of the machine's own
// Postfix in all.
const strictSettings = `compatibility_level = 3.6
config_directory = %[1]s/etc
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = strict.test
mydestination =
alias_maps =
local_recipient_maps =
mynetworks = 127.0.0.0/8
relay_domains = example.com
relay_transport = discard
default_transport = discard
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_invalid_helo_hostname
smtpd_sender_restrictions = reject_non_fqdn_sender
smtpd_recipient_restrictions = reject_non_fqdn_recipient, permit_mynetworks, reject
smtpd_data_restrictions = reject_unauth_pipelining
smtpd_forbid_unauth_pipelining = yes
smtpd_forbid_bare_newline = reject
smtpd_forbid_bare_newline_exclusions =
strict_rfc821_envelopes = yes
strict_mime_encoding_domain = yes
%[2]s = yes
smtpd_client_connection_count_limit = 0
in_flow_delay = 0
`

// Whether strictSettings refuse UTF-8 in a header, too. Postfix then refuses it
// even with SMTPUTF8, which allows it (RFC 6531, section 3.1).
const (
	noUTF8 = "strict_8bitmime"
	inUTF8 = "strict_8bitmime_body"
)

const strictServices = `%s inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
pickup unix n - n 60 1 pickup
postlog unix-dgram n - n - 1 postlogd
`

// startPostfix starts a Postfix of the test's own and returns its address and the
// file of its log. header is noUTF8 or inUTF8.
func startPostfix(t *testing.T, header string) (addr, log string) {
	t.Helper()
	program := needProgram(t, "postfix", "postfix")
	if os.Geteuid() != 0 {
		t.Skip("Postfix is started by root only")
	}
	dir := publicDir(t, "vestnik-postfix-")
	addr = freeAddr(t)
	for name, mode := range map[string]fs.FileMode{"etc": 0o755, "queue": 0o755, "data": 0o700} {
		if err := os.Mkdir(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	command(t, "chown", "postfix", filepath.Join(dir, "data"))
	writeFile(t, filepath.Join(dir, "etc", "main.cf"), fmt.Sprintf(strictSettings, dir, header))
	writeFile(t, filepath.Join(dir, "etc", "master.cf"), fmt.Sprintf(strictServices, addr))
	log = filepath.Join(dir, "log")
	command(t, program, "-c", filepath.Join(dir, "etc"), "start")
	t.Cleanup(func() { command(t, program, "-c", filepath.Join(dir, "etc"), "stop") })
	awaitListener(t, addr)
	return addr, log
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// command runs a program that must succeed. It has no pipe to the program's
// output, which its daemons would keep open.
func command(t *testing.T, name string, args ...string) {
	t.Helper()
	said, err := os.CreateTemp(t.TempDir(), "said")
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(said.Name())
		t.Errorf("%s: %v: %s", cmd, err, text)
	}
}

// complaint finds what Postfix logs about a client that it does not like.
var complaint = regexp.MustCompile(`(?m)^.*(reject|improper|bare newline|warning|fatal|error:).*$`)

func TestPostfix(t *testing.T) {
	t.Parallel()
	n := asMany(many/10, many)
	addr, logFile := startPostfix(t, noUTF8)
	h := newHouse(t, storetest.SQLiteURL(t))
	run := h.sendTo(addr, n)
	t.Run("a Postfix that is as strict as it can be refuses none and gets one mail for each client", func(t *testing.T) {
		h := h.in(t)
		delivered := regexp.MustCompile(`to=<([^>]+)>.*status=sent`)
		var copies map[string]int
		await(t, 2*time.Minute, "Postfix has delivered all", func() bool {
			copies = grepCopies(t, logFile, delivered)
			return len(copies) >= n
		})
		if inDoubt := h.account(run, copies, 1); len(inDoubt) > 0 {
			t.Errorf("%d are in doubt", len(inDoubt))
		}
		h.checkAcceptedLog(run, n, "queued as")
		said, err := os.ReadFile(logFile)
		if err != nil {
			t.Fatal(err)
		}
		if complaints := complaint.FindAllString(string(said), -1); len(complaints) > 0 {
			t.Errorf("Postfix complains %d times: %s", len(complaints), strings.Join(complaints[:min(5, len(complaints))], "\n"))
		}
	})
	t.Run("and it would refuse a bare line feed", func(t *testing.T) {
		answers := converse(t, addr, "EHLO a.test\r\n", "MAIL FROM:<a@example.com>\r\n", "RCPT TO:<b@example.com>\r\n",
			"DATA\r\n", "Subject: a\n\nb\r\n.\r\n")
		if last := answers[len(answers)-1]; !strings.HasPrefix(last, "5") {
			t.Errorf("it answers %q", last)
		}
	})
}

// converse says one line after the other to a mail server and returns the last
// lines of its answers.
func converse(t *testing.T, addr string, lines ...string) (answers []string) {
	t.Helper()
	conn, err := textproto.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, line := range append([]string{""}, lines...) {
		if _, err := conn.W.WriteString(line); err != nil {
			t.Fatal(err)
		}
		if err := conn.W.Flush(); err != nil {
			t.Fatal(err)
		}
		code, text, err := conn.ReadResponse(0)
		if err != nil && code == 0 {
			t.Fatal(err)
		}
		answers = append(answers, fmt.Sprint(code, " ", text))
	}
	return answers
}
