package bench

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"vestnik/internal/pgserver"
)

// database is a kind of database, with a filled one that others are copied from.
type database interface {
	name() string
	// fill returns the address of the one to be filled, which must not be open
	// any more when copies are made of it.
	fill() (url string, err error)
	// copy returns the address of a fresh copy, and what deletes it.
	copy() (url string, drop func() error, err error)
	// pid is the process of the server; 0 when there is none.
	pid() (int, error)
}

// sqliteDatabase are files in a folder.
type sqliteDatabase struct{ dir, label string }

func (d sqliteDatabase) name() string      { return d.label }
func (d sqliteDatabase) pid() (int, error) { return 0, nil }

func (d sqliteDatabase) template() string { return filepath.Join(d.dir, d.label+".db") }

func (d sqliteDatabase) fill() (string, error) { return "sqlite:" + d.template(), nil }

// copy copies the file: it is whole when nobody has it open.
func (d sqliteDatabase) copy() (string, func() error, error) {
	folder, err := os.MkdirTemp(d.dir, "round-")
	if err != nil {
		return "", nil, fmt.Errorf("bench: copy database: %w", err)
	}
	path := filepath.Join(folder, "vestnik.db")
	if err := copyFile(path, d.template()); err != nil {
		return "", nil, fmt.Errorf("bench: copy database: %w", err)
	}
	return "sqlite:" + path, func() error { return os.RemoveAll(folder) }, nil
}

func copyFile(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		target.Close()
		return err
	}
	return target.Close()
}

// postgresDatabase are databases of one server.
type postgresDatabase struct{ server *pgserver.Server }

// filled is the first database of a server.
const filled = "vestnik_1"

func (d postgresDatabase) name() string      { return "postgres" }
func (d postgresDatabase) pid() (int, error) { return d.server.PID() }

func (d postgresDatabase) fill() (string, error) {
	name, err := d.server.Create("template0")
	return d.server.URL(name), err
}

func (d postgresDatabase) copy() (string, func() error, error) {
	name, err := d.server.Create(filled)
	return d.server.URL(name), func() error { return d.server.Drop(name) }, err
}
