package i18n

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
)

// deedsInCode are the actions and the facts that the use cases write down, by name:
// every text of the shape of an action, and every field of what is made as facts.
func deedsInCode(t *testing.T) (actions, facts map[string]string) {
	t.Helper()
	actions, facts = map[string]string{}, map[string]string{}
	for _, room := range []string{"app", "store"} {
		files, err := filepath.Glob(filepath.Join("..", room, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tree, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(tree, func(n ast.Node) bool {
				lookForDeeds(n, file, room == "app", actions, facts)
				return true
			})
		}
	}
	return actions, facts
}

// thingSections are the beginnings of actions.
var thingSections = []string{"account.", "contact.", "message.", "mailing.", "run.", "relay.", "domain.", "service."}

func lookForDeeds(n ast.Node, file string, inApp bool, actions, facts map[string]string) {
	switch n := n.(type) {
	case *ast.KeyValueExpr: // Action: "…" in a deed
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Action" {
			if text := textOf(n.Value); text != "" {
				actions[text] = file
			}
		}
	case *ast.BasicLit: // those that are handed on
		text := textOf(n)
		for _, section := range thingSections {
			isFile := strings.HasSuffix(text, ".json") || strings.HasSuffix(text, ".csv")
			if inApp && strings.HasPrefix(text, section) && !strings.ContainsAny(text, " /%") && !isFile {
				actions[text] = file
			}
		}
	case *ast.CompositeLit:
		if kind, ok := n.Type.(*ast.SelectorExpr); !ok || kind.Sel.Name != "Facts" {
			return
		}
		for _, element := range n.Elts {
			facts[textOf(element.(*ast.KeyValueExpr).Key)] = file
		}
	case *ast.CallExpr: // of the store's withFact(facts, "field", …) and tellAfter(ctx, "field", …)
		if called, ok := n.Fun.(*ast.Ident); ok && (called.Name == "withFact" || called.Name == "tellAfter") {
			if field := textOf(n.Args[1]); field != "" {
				facts[field] = file
			}
		}
	}
}

func textOf(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return text
}

func TestEveryDeedInTheCodeHasItsWords(t *testing.T) {
	ru, en := printers(t)
	actions, facts := deedsInCode(t)
	if len(actions) < 40 || len(facts) < 40 {
		t.Errorf("only %d actions and %d facts are found", len(actions), len(facts))
	}
	for _, p := range []*Printer{ru, en} {
		for action, file := range actions {
			if !p.Has("deed." + action) {
				t.Errorf("%s does %q, and %s has no \"deed.%s\"", file, action, p.lang, action)
			}
		}
		for fact, file := range facts {
			if !p.Has("fact." + fact) {
				t.Errorf("%s writes down the fact %q, and %s has no \"fact.%s\"", file, fact, p.lang, fact)
			}
		}
	}
}

func TestFactsAreSaidInWords(t *testing.T) {
	ru, en := printers(t)
	zone, err := mailing.LoadZone("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ field, fact, ru, en string }{
		{"status", "paused", "Приостановлена", "Paused"},
		{"weight", "low", "Низкий", "Low"},
		{"weight", "10", "10", "10"},
		{"state", "cancelled", "Отменён", "Cancelled"},
		{"reason", "unsubscribed", "отписался", "unsubscribed"},
		{"enabled", "true", "да", "yes"},
		{"phone", "", "—", "—"},
		{"first_name", "user", "user", "user"},
		{"email", "anna@xn--e1afmkfd.xn--p1ai", "anna@пример.рф", "anna@пример.рф"},
		{"next_at", "2026-11-24T07:00:00Z", ru.In(zone).DateTimeZone(at7()), en.In(zone).DateTimeZone(at7())},
		{"rule", `{"frequency":"daily","interval":1,"start":"2026-11-24","at":"10:00","zone":"Europe/Moscow"}`, "10:00", "10:00"},
	} {
		if got := ru.In(zone).Fact(c.field, c.fact); !strings.Contains(got, c.ru) {
			t.Errorf("%s %q is %q, want %q", c.field, c.fact, got, c.ru)
		}
		if got := en.In(zone).Fact(c.field, c.fact); !strings.Contains(got, c.en) {
			t.Errorf("%s %q is %q, want %q", c.field, c.fact, got, c.en)
		}
	}
}

func at7() time.Time { return time.Date(2026, time.November, 24, 7, 0, 0, 0, time.UTC) }
