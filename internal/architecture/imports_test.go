package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "vestnik"

// everything is the right to enter any room.
const everything = "everything"

// may says which rooms a room may enter. A room is a folder of internal with
// all that is below it, or a command or tool. A room may always enter itself. Rooms
// stand in the order of the house: imports never flow up.
var may = map[string]string{
	"cmd/vestnik":  "bench server config app mailing i18n smtpsink pgserver",
	"bench":        "server config app mailing store compose smtpsink pgserver",
	"server":       everything,
	"web":          "mailing app i18n manual",
	"manual":       "docs",
	"docs":         "",
	"browser":      "",
	"api":          "mailing app",
	"jobs":         "mailing store schedule app",
	"app":          "mailing store auth compose picture cache",
	"track":        "mailing store auth",
	"bounce":       "mailing store",
	"deliver":      "mailing store compose transport",
	"schedule":     "mailing store",
	"transport":    "mailing",
	"compose":      "mailing auth",
	"store":        "mailing pgserver", // the latter for its test databases only
	"auth":         "mailing",
	"picture":      "mailing",
	"i18n":         "mailing", // renders its errors, and its rules in words
	"cache":        "",
	"config":       "",
	"mailing":      "",
	"metrics":      "",
	"smtpsink":     "",
	"pgserver":     "",
	"netns":        "",
	"torture":      "mailing",
	"architecture": "",
	"build/assets": "", // the bundler, which is no part of the program

	"build/torture": "torture", // writes what the tests found into a document
}

// testsMay says which rooms the tests of a room may enter besides: a real
// database is the test double of all, and the sink that of a mail server.
var testsMay = map[string]string{
	"cmd/vestnik": everything,
	"server":      everything,
	"jobs":        "mailing store smtpsink auth",
	"web":         "mailing store smtpsink auth config transport cache browser",
	"api":         "mailing store smtpsink auth config",
}

// anyTestMay is for the tests of all rooms that testsMay does not name.
const anyTestMay = "mailing store smtpsink torture netns"

// listed is what we use of a package in the answer of go list.
type listed struct {
	ImportPath   string
	Dir          string
	Name         string
	Doc          string `json:"-"` // the package comment, generated files left out
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestImports(t *testing.T) {
	t.Run("nobody enters a room they may not enter, and every package says what it is for", func(t *testing.T) {
		packages := list(t)
		for _, p := range packages {
			for _, complaint := range complaints(p) {
				t.Error(complaint)
			}
		}
		if len(packages) < 3 {
			t.Errorf("go list found only %d packages", len(packages))
		}
	})
}

// list asks the go command for the packages of the module. With -e it answers
// for a package that does not compile too; that is for others to report.
func list(t *testing.T) []listed {
	t.Helper()
	command := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Name,GoFiles,Imports,TestImports,XTestImports", module+"/...")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, stderr.String())
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		// What npm brings may hold Go files; they are none of ours.
		if !strings.HasPrefix(p.ImportPath, module+"/node_modules/") {
			p.Doc = packageComment(t, p)
			packages = append(packages, p)
		}
	}
}

// complaints are sentences about what is wrong with a package.
func complaints(p listed) []string {
	var found []string
	room := roomOf(p.ImportPath)
	rights, known := may[room]
	if !known {
		return []string{fmt.Sprintf("%s is in no room of the table: add %q with what it may enter, and to ARCHITECTURE.md", p.ImportPath, room)}
	}
	if len(p.GoFiles) > 0 && !saysItsPurpose(p) {
		found = append(found, fmt.Sprintf("%s has no package comment that says what it is for", p.ImportPath))
	}
	found = append(found, trespasses(p.ImportPath, p.Imports, rights)...)
	ofTests, named := testsMay[room]
	if !named {
		ofTests = anyTestMay
	}
	test := append(slices.Clone(p.TestImports), p.XTestImports...)
	return append(found, trespasses("a test of "+p.ImportPath, test, rights+" "+ofTests)...)
}

// trespasses names the imports that rights do not cover.
func trespasses(who string, imports []string, rights string) []string {
	var found []string
	home := roomOf(who[strings.LastIndex(who, " ")+1:])
	allowed := strings.Fields(rights)
	for _, path := range imports {
		room := roomOf(path)
		if room == "" || room == home || slices.Contains(allowed, everything) || slices.Contains(allowed, room) {
			continue
		}
		found = append(found, fmt.Sprintf("%s imports %s, but %s may enter only: %s", who, path, home, strings.Join(allowed, ", ")))
	}
	return found
}

// packageComment returns the comment above a package clause. Generated files, whose
// first comment is about the generator, are left out.
func packageComment(t *testing.T, p listed) string {
	t.Helper()
	for _, name := range p.GoFiles {
		if strings.HasSuffix(name, "_templ.go") {
			continue
		}
		mode := parser.PackageClauseOnly | parser.ParseComments
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, mode)
		if err != nil {
			t.Fatal(err)
		}
		if file.Doc != nil {
			return file.Doc.Text()
		}
	}
	return ""
}

// saysItsPurpose reports whether the package comment begins as go doc expects;
// that of a command only has to be there.
func saysItsPurpose(p listed) bool {
	return p.Doc != "" && (p.Name == "main" || strings.HasPrefix(p.Doc, "Package "+p.Name+" "))
}

// roomOf returns the room of an import path: "store" for vestnik/internal/store
// and all below it, "cmd/vestnik" for vestnik/cmd/vestnik, and "" for what is
// not ours.
func roomOf(path string) string {
	inside, ours := strings.CutPrefix(path, module+"/")
	if !ours {
		return ""
	}
	parts := strings.Split(inside, "/")
	if parts[0] == "internal" && len(parts) > 1 {
		return parts[1]
	}
	return strings.Join(parts[:min(2, len(parts))], "/")
}

func TestThePolicyBites(t *testing.T) {
	cases := []struct {
		name string
		p    listed
		want string // part of the only complaint; empty for none
	}{
		{
			"a room may enter those in its row",
			listed{ImportPath: "vestnik/internal/app", Name: "app", Doc: "Package app has the use cases.", GoFiles: []string{"a.go"}, Imports: []string{"fmt", "vestnik/internal/store", "vestnik/internal/store/sqlc"}},
			"",
		},
		{
			"an import that flows up is named",
			listed{ImportPath: "vestnik/internal/store", Name: "store", Doc: "Package store has all SQL.", GoFiles: []string{"a.go"}, Imports: []string{"vestnik/internal/app"}},
			"vestnik/internal/store imports vestnik/internal/app, but store may enter only: mailing",
		},
		{
			"a room inside a room has the rights of the outer one",
			listed{ImportPath: "vestnik/internal/compose/liquid", Name: "liquid", Doc: "Package liquid has merge fields.", GoFiles: []string{"a.go"}, Imports: []string{"vestnik/internal/compose", "vestnik/internal/store"}},
			"imports vestnik/internal/store",
		},
		{
			"a test may use the sink where its package may not",
			listed{ImportPath: "vestnik/internal/transport", Name: "transport", Doc: "Package transport sends.", GoFiles: []string{"a.go"}, TestImports: []string{"vestnik/internal/smtpsink"}},
			"",
		},
		{
			"a test may not enter every room either",
			listed{ImportPath: "vestnik/internal/transport", Name: "transport", Doc: "Package transport sends.", GoFiles: []string{"a.go"}, XTestImports: []string{"vestnik/internal/web"}},
			"a test of vestnik/internal/transport imports vestnik/internal/web, but transport may enter",
		},
		{
			"the composition root may enter every room",
			listed{ImportPath: "vestnik/internal/server", Name: "server", Doc: "Package server builds all.", GoFiles: []string{"a.go"}, Imports: []string{"vestnik/internal/web", "vestnik/internal/jobs"}},
			"",
		},
		{
			"a package without a comment is named",
			listed{ImportPath: "vestnik/internal/auth", Name: "auth", GoFiles: []string{"a.go"}},
			"vestnik/internal/auth has no package comment",
		},
		{
			"a package outside the table is named",
			listed{ImportPath: "vestnik/internal/util", Name: "util", Doc: "Package util has the rest.", GoFiles: []string{"a.go"}},
			"vestnik/internal/util is in no room",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := complaints(c.p)
			if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	t.Run("every right in the table is to a room that is in it", func(t *testing.T) {
		for _, table := range []map[string]string{may, testsMay, {"": anyTestMay}} {
			for room, rights := range table {
				for _, right := range strings.Fields(rights) {
					if _, known := may[right]; !known && right != everything {
						t.Errorf("%s may enter %s, which is no room", room, right)
					}
				}
			}
		}
	})
}
