package architecture

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// standards are the RFCs that the list must have.
var standards = []int{5321, 1870, 2920, 3207, 3463, 4954, 5322, 2045, 2046, 2047, 2231, 6376, 8463, 6531, 8058, 2369, 2919, 3834}

// testName finds `package.TestName` and `package.TestName/case`.
var testName = regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz)[A-Za-z0-9]+)(?:/([^`]+))?`")

// requirement is a row of the list.
type requirement struct {
	rfc, section, text, level, status, proof string
}

func (r requirement) String() string { return "RFC " + r.rfc + ", " + r.section + ", " + r.text }

func TestEveryStandardIsKeptByATestThatExists(t *testing.T) {
	rows := requirements(t)
	t.Run("every standard of the list is there", func(t *testing.T) {
		counts := map[string]int{}
		for _, row := range rows {
			counts[row.rfc]++
		}
		for _, rfc := range standards {
			if counts[strconv.Itoa(rfc)] < 3 {
				t.Errorf("docs/standards.md has %d rows of RFC %d", counts[strconv.Itoa(rfc)], rfc)
			}
		}
	})
	t.Run("every yes names a test, and everything else a reason", func(t *testing.T) {
		for _, row := range rows {
			if complaint := row.complaint(); complaint != "" {
				t.Errorf("%s %s", row, complaint)
			}
		}
	})
	t.Run("every test that is named exists", func(t *testing.T) {
		sources := map[string]string{}
		for _, row := range rows {
			for _, name := range testName.FindAllStringSubmatch(row.proof, -1) {
				if sources[name[1]] == "" {
					sources[name[1]] = testSource(t, filepath.Join("..", filepath.FromSlash(name[1])))
				}
				if missing := missingTest(sources[name[1]], name[2], name[3]); missing != "" {
					t.Errorf("%s names %s: %s", row, name[0], missing)
				}
			}
		}
	})
}

// complaint says what is wrong with a row; empty when nothing is.
func (r requirement) complaint() string {
	tests := testName.FindAllString(r.proof, -1)
	switch {
	case r.section == "" || r.text == "" || r.level == "":
		return "is not complete"
	case r.status == "yes" && len(tests) == 0:
		return "is a yes without a test"
	case r.status == "yes" && strings.Join(tests, ", ") != r.proof:
		return "names something else than tests: " + r.proof
	case r.status == "no" || r.status == "not applicable":
		if len(tests) > 0 || len(r.proof) < 10 {
			return "gives no reason"
		}
	case r.status != "yes":
		return "has the status " + strconv.Quote(r.status)
	}
	return ""
}

// missingTest says what of a test is not in the source of its package.
func missingTest(source, function, subtest string) string {
	switch {
	case !strings.Contains(source, "\nfunc "+function+"("):
		return "there is no such function"
	case subtest != "" && !strings.Contains(source, strconv.Quote(subtest)):
		return "there is no such case"
	}
	return ""
}

// requirements are the rows of all tables below a heading "## RFC …".
func requirements(t *testing.T) []requirement {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "standards.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []requirement
	rfc := ""
	for _, line := range strings.Split(string(text), "\n") {
		if heading, ok := strings.CutPrefix(line, "## RFC "); ok {
			rfc, _, _ = strings.Cut(heading, " ")
		}
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| section ") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 5 {
			t.Errorf("a row with %d cells: %s", len(cells), line)
			continue
		}
		rows = append(rows, requirement{rfc, cells[0], cells[1], cells[2], cells[3], cells[4]})
	}
	return rows
}

// testSource is the text of all tests of a package.
func testSource(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(string(text))
	}
	return all.String()
}

func TestTheListOfStandardsBites(t *testing.T) {
	source := "package x\n\nfunc TestA(t *testing.T) {\n\tt.Run(\"a case\", nil)\n}\n"
	good := requirement{"1", "2", "text", "MUST", "yes", "`x.TestA`, `x.TestA/a case`"}
	with := func(change func(*requirement)) requirement {
		changed := good
		change(&changed)
		return changed
	}
	for _, c := range []struct {
		name string
		row  requirement
		want string
	}{
		{"a good row is good", good, ""},
		{"a yes without a test", with(func(r *requirement) { r.proof = "surely" }), "is a yes without a test"},
		{"a yes with excuses", with(func(r *requirement) { r.proof += ", mostly" }), "names something else than tests: " + good.proof + ", mostly"},
		{"a no without a reason", with(func(r *requirement) { r.status, r.proof = "no", "" }), "gives no reason"},
		{"a status that is none", with(func(r *requirement) { r.status = "partly" }), `has the status "partly"`},
		{"a row without a section", with(func(r *requirement) { r.section = "" }), "is not complete"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.row.complaint(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	t.Run("a test or a case that is gone is missed", func(t *testing.T) {
		if got := missingTest(source, "TestA", "a case"); got != "" {
			t.Errorf("TestA/a case: %s", got)
		}
		if missingTest(source, "Test", "") == "" || missingTest(source, "TestA", "another case") == "" {
			t.Error("what is gone is not missed")
		}
	})
}
