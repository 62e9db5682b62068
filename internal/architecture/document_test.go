package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// named finds `package.Name`, `package.Type.Method` in the document.
var named = regexp.MustCompile("`([a-z]+)((?:\\.[A-Za-z]+)+)`")

func TestEveryFunctionThatTheDocumentNamesExists(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := named.FindAllStringSubmatch(string(text), -1)
	if len(found) < 20 {
		t.Fatalf("ARCHITECTURE.md names only %d functions; it should say where each step happens", len(found))
	}
	declared := map[string]map[string]bool{}
	for _, match := range found {
		room, name := match[1], strings.TrimPrefix(match[2], ".")
		if strings.HasSuffix(name, "go") {
			continue // a file
		}
		if declared[room] == nil {
			declared[room] = declarations(t, filepath.Join("..", room))
		}
		if !declared[room][name] {
			t.Errorf("ARCHITECTURE.md names %s.%s, which does not exist", room, name)
		}
	}
}

// testNamed finds `TestThat` in the document about security.
var testNamed = regexp.MustCompile("`(Test[A-Za-z]+)`")

func TestEveryTestThatTheSecurityDocumentNamesExists(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := testNamed.FindAllStringSubmatch(string(text), -1)
	if len(found) < 20 {
		t.Fatalf("docs/security.md names only %d tests; each claim should have one", len(found))
	}
	var all strings.Builder
	for _, folder := range []string{"internal", "cmd"} {
		err := filepath.WalkDir(filepath.Join("..", "..", folder), func(name string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(name, "_test.go") {
				return err
			}
			code, err := os.ReadFile(name)
			all.Write(code)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, match := range found {
		if !strings.Contains(all.String(), "func "+match[1]+"(t *testing.T)") {
			t.Errorf("docs/security.md names %s, which does not exist", match[1])
		}
	}
}

// declarations are the functions and methods of a folder, as "Name" and
// "Type.Method", and its types and constants.
func declarations(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range tree.Decls {
			addDeclaration(names, decl)
		}
	}
	return names
}

func addDeclaration(names map[string]bool, decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		names[receiver(d)+d.Name.Name] = true
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				names[s.Name.Name] = true
			case *ast.ValueSpec:
				for _, name := range s.Names {
					names[name.Name] = true
				}
			}
		}
	}
}

func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name + "."
	}
	return ""
}
