package compose

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vestnik/internal/compose/dkim"
)

// systemSetting is the environment variable that lets tests use programs of the
// machine.
const systemSetting = "VESTNIK_TEST_SYSTEM"

// verifier is a program by others that looks at the files of mails in a folder,
// with the records in its file "keys", and says of each how many signatures hold.
type verifier func(t *testing.T, folder string, files []string) []int

// openDKIM asks OpenDKIM (Debian's 2.11 knows Ed25519). With -t it reads files
// and needs no mail server, with TestPublicKeys no DNS.
func openDKIM(t *testing.T, folder string, files []string) []int {
	t.Helper()
	settings := filepath.Join(folder, "opendkim.conf")
	writeFile(t, settings, "TestPublicKeys "+filepath.Join(folder, "keys")+"\n")
	program := exec.Command("/usr/sbin/opendkim", "-x", settings, "-vv", "-t", strings.Join(files, ","))
	program.Dir = folder
	output, err := program.Output() // the report is on stderr, the results are not
	if err != nil {
		t.Fatalf("opendkim (apt-get install opendkim): %v", err)
	}
	results := strings.Split(string(output), "### INSHEADER")[1:]
	held := make([]int, len(results))
	for i, result := range results {
		held[i] = strings.Count(result, "dkim=pass")
	}
	return held
}

// dkimpyScript prints, for each file, how many of its signatures hold.
const dkimpyScript = `
import sys, dkim
records = dict(line.rstrip(b'\n').split(b' ', 1) for line in open('keys', 'rb'))
for path in sys.argv[1:]:
    mail = dkim.DKIM(open(path, 'rb').read())
    count = sum(1 for name, _ in mail.headers if name.lower() == b'dkim-signature')
    held = 0
    for i in range(count):
        try:
            held += bool(mail.verify(idx=i, dnsfunc=lambda name, timeout=5: records.get(name.rstrip(b'.'))))
        except dkim.DKIMException:
            pass
    print(held)
`

// dkimpy asks dkimpy, with Debian's Python, which is not always the first one.
func dkimpy(t *testing.T, folder string, files []string) []int {
	t.Helper()
	program := exec.Command("/usr/bin/python3", append([]string{"-c", dkimpyScript}, files...)...)
	program.Dir = folder
	var complaints strings.Builder
	program.Stderr = &complaints
	output, err := program.Output()
	if err != nil {
		t.Fatalf("dkimpy (apt-get install python3-dkim python3-nacl): %v: %s", err, complaints.String())
	}
	var held []int
	for _, line := range strings.Fields(string(output)) {
		var count int
		if _, err := fmt.Sscan(line, &count); err != nil {
			t.Fatal(err)
		}
		held = append(held, count)
	}
	return held
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestVerifiersOfOthersHoldOurSignatures(t *testing.T) {
	NeedVerifiers(t)
	w := newSigningWorld(t, dkim.Ed25519, dkim.RSA)
	folder := t.TempDir()
	var records strings.Builder
	for name, record := range w.records {
		records.WriteString(name + " " + record + "\n")
	}
	writeFile(t, filepath.Join(folder, "keys"), records.String())
	good, changed := writeMails(t, w, folder)
	for name, ask := range map[string]verifier{"OpenDKIM": openDKIM, "dkimpy": dkimpy} {
		t.Run(name+" holds both signatures of every mail", func(t *testing.T) {
			checkHeld(t, folder, good, ask(t, folder, good), len(w.records))
		})
		t.Run(name+" holds none when one octet was changed", func(t *testing.T) {
			checkHeld(t, folder, changed, ask(t, folder, changed), 0)
		})
	}
}

// writeMails writes mails of all kinds, and each once more with a change.
func writeMails(t *testing.T, w signingWorld, folder string) (good, changed []string) {
	t.Helper()
	letters := someLetters(300)
	for _, s := range goldenSources {
		letters = append(letters, s)
	}
	chance := rand.New(rand.NewPCG(1, 2))
	for i, s := range letters {
		signed, unsigned := w.render(t, s)
		name := fmt.Sprintf("%03d.eml", i)
		writeFile(t, filepath.Join(folder, name), string(signed))
		writeFile(t, filepath.Join(folder, "changed"+name), oneOctetChanged(chance, string(signed), len(unsigned)))
		good, changed = append(good, name), append(changed, "changed"+name)
	}
	return good, changed
}

// oneOctetChanged changes a letter or digit among the last octets of a mail.
func oneOctetChanged(chance *rand.Rand, mail string, octets int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	for {
		at := len(mail) - 1 - chance.IntN(octets)
		place := strings.IndexByte(letters, mail[at])
		if place < 0 {
			continue
		}
		other := letters[(place+1)%len(letters)] // never the same letter in another case
		return mail[:at] + string(other) + mail[at+1:]
	}
}

func checkHeld(t *testing.T, folder string, files []string, held []int, want int) {
	t.Helper()
	if len(held) != len(files) {
		t.Fatalf("it looked at %d of %d mails", len(held), len(files))
	}
	for i, count := range held {
		if count != want {
			mail, err := os.ReadFile(filepath.Join(folder, files[i]))
			t.Fatalf("it holds %d signatures and not %d of %s (%v):\n%s", count, want, files[i], err, mail)
		}
	}
}
