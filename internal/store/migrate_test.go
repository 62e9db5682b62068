package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// eachEmpty is storetest.EachURL for databases without tables.
func eachEmpty(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, storetest.EmptySQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, storetest.EmptyPostgresURL(t)) })
}

func TestMigrateTwiceChangesNothing(t *testing.T) {
	eachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		ok(t, s.Migrate(ctx))
		storetest.Account(t, s, "anna@example.com")
		ok(t, s.Migrate(ctx))
		ok(t, storetest.Open(t, url).Migrate(ctx))
		equal(t, "accounts", must(s.CountAccounts(ctx))(t), 1)
	})
}

func TestSeveralNodesMigrateAtOnce(t *testing.T) {
	eachEmpty(t, func(t *testing.T, url string) {
		for _, err := range atOnce(4, func(int) error {
			s, err := store.Open(ctx, url)
			if err != nil {
				return err
			}
			defer s.Close()
			return s.Migrate(ctx)
		}) {
			ok(t, err)
		}
		s := storetest.Open(t, url)
		storetest.Account(t, s, "anna@example.com")
		var applied int
		ok(t, s.Writer().QueryRow("select count(*) from goose_db_version where version_id > 0").Scan(&applied))
		files := must(filepath.Glob("migrations/sqlite/*.sql"))(t)
		equal(t, "migrations on record", applied, len(files))
	})
}

// typeNames pairs what the two databases call the same type.
var typeNames = strings.NewReplacer(
	"generated always as identity primary key", "primary key autoincrement",
	"bigint", "integer", "bytea", "blob",
)

func TestBothDatabasesHaveTheSameMigrations(t *testing.T) {
	files := must(filepath.Glob("migrations/postgres/*.sql"))(t)
	equal(t, "there are migrations", len(files) > 0, true)
	equal(t, "files", len(must(filepath.Glob("migrations/sqlite/*.sql"))(t)), len(files))
	spaces := regexp.MustCompile(`\s+`)
	tidy := func(text string) string { return spaces.ReplaceAllString(text, " ") }
	own := regexp.MustCompile(`(?s)-- In words of this database:\n.*?(-- In words of both:\n|$)`)
	for _, file := range files {
		theirs := string(must(os.ReadFile(file))(t))
		ours := string(must(os.ReadFile(filepath.Join("migrations/sqlite", filepath.Base(file))))(t))
		theirs, ours = own.ReplaceAllString(theirs, ""), own.ReplaceAllString(ours, "")
		theirLines, ourLines := strings.Split(theirs, "\n"), strings.Split(ours, "\n")
		for i := range min(len(theirLines), len(ourLines)) {
			if want := tidy(typeNames.Replace(theirLines[i])); tidy(ourLines[i]) != want {
				t.Fatalf("line %d of %s is %q on SQLite and %q on PostgreSQL", i+1, filepath.Base(file), ourLines[i], theirLines[i])
			}
		}
		equal(t, "lines of "+filepath.Base(file), len(ourLines), len(theirLines))
	}
}

func TestBothDatabasesHaveTheSameColumns(t *testing.T) {
	lite := storetest.New(t)
	pg := storetest.Open(t, storetest.PostgresURL(t))
	got := columns(t, lite.Writer(), `select m.name, c.name, c."notnull" or c.pk > 0
from sqlite_master m join pragma_table_info(m.name) c
where m.type = 'table' and m.name not like 'sqlite_%' and m.name not like 'goose_%' order by m.name, c.name`)
	want := columns(t, pg.Writer(), `select table_name, column_name, is_nullable = 'NO'
from information_schema.columns
where table_schema = 'public' and table_name not like 'goose_%' order by table_name, column_name`)
	equalList(t, "columns", got, want)
	equal(t, "there are columns", len(got) > 100, true)
}

func columns(t *testing.T, db *sql.DB, query string) (list []string) {
	t.Helper()
	rows := must(db.Query(query))(t)
	defer rows.Close()
	for rows.Next() {
		var table, column string
		var required bool
		ok(t, rows.Scan(&table, &column, &required))
		list = append(list, fmt.Sprint(table, ".", column, " required: ", required))
	}
	ok(t, rows.Err())
	return list
}
