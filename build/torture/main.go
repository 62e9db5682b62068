// Command torture writes what the torture tests found into a document:
//
//	go run ./build/torture RESULT DOCUMENT
//
// It replaces the table between the document's markers and leaves the prose alone.
package main

import (
	"fmt"
	"os"

	"vestnik/internal/torture"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: torture RESULT DOCUMENT")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(result, document string) error {
	file, err := os.Open(result)
	if err != nil {
		return err
	}
	defer file.Close()
	lines, err := torture.ReadResult(file)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	changed, err := torture.Replace(string(text), torture.Table(lines))
	if err != nil {
		return err
	}
	return os.WriteFile(document, []byte(changed), 0o644)
}
