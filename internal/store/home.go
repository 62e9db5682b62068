package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Home says where the database is: it is the same at every start until the
// database is restored or moved. A file is known by its machine, its path and its
// birth; a PostgreSQL database by its cluster, its oid and the oid of one of its
// tables, which is another one after a restore into the same database. Nothing of
// that can be read from the answer.
func (s *Store) Home(ctx context.Context) (string, error) {
	if s.Postgres() {
		home, err := s.postgresHome(ctx)
		return home, wrap(err, "find home")
	}
	home, err := fileHome(s.path, machineIDFile)
	return home, wrap(err, "find home")
}

// machineIDFile holds the identity of a machine with systemd or D-Bus
// (machine-id(5)).
const machineIDFile = "/etc/machine-id"

// fileHome does not ask for the name of the host, since a container has another
// one each time it is made; nor for the boot, which ends with the day.
func fileHome(path, machineID string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	birth, err := birthOf(path)
	return digest(machine(machineID), path, birth), err
}

// machineID is what is in the file of a machine that has an identity: containers
// have none, or an empty file, or the word "uninitialized".
var machineID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func machine(file string) string {
	text, err := os.ReadFile(file)
	id := strings.TrimSpace(string(text))
	if err != nil || !machineID.MatchString(id) {
		return ""
	}
	return id
}

func (s *Store) postgresHome(ctx context.Context) (string, error) {
	var database, table int64
	err := s.read.QueryRowContext(ctx, `select cast(d.oid as bigint), cast(cast('installation' as regclass) as bigint)
from pg_database d where d.datname = current_database()`).Scan(&database, &table)
	if err != nil {
		return "", err
	}
	// Everybody may ask for it unless an administrator has taken that away; then
	// the oids have to do.
	cluster := ""
	err = s.read.QueryRowContext(ctx, "select cast(system_identifier as text) from pg_control_system()").Scan(&cluster)
	if err != nil && !isForbidden(err) {
		return "", err
	}
	return digest(cluster, strconv.FormatInt(database, 10), strconv.FormatInt(table, 10)), nil
}

// digest keeps the identity of the machine from being read in the database, as
// machine-id(5) asks for.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte("vestnik home\x00" + strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}
