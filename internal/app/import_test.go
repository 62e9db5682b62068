package app_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

var words = app.RefusalWords{
	Line: "Строка", Value: "Значение", Reason: "Причина",
	Sentence: func(code string, params map[string]any) string { return fmt.Sprint(code, len(params)) },
}

// refused lists the refused lines of an import as "line code value".
func (h *house) refused(t *testing.T, owner mailing.Account, id int64) []string {
	t.Helper()
	list, err := h.ImportRefusals(t.Context(), owner, id, 0, 10_000)
	must(t, err)
	texts := make([]string, len(list))
	for i, r := range list {
		texts[i] = fmt.Sprint(r.Line, " ", r.Code, " ", r.Value)
	}
	return texts
}

// numbers are the total, added, existing and refused of a report.
func numbers(i store.Import) [4]int64 { return [4]int64{i.Total, i.Added, i.Existing, i.Refused} }

func TestImport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := over(s)
		owner := h.person(t, "owner@example.org", mailing.RoleUser)
		t.Run("good lines are added, known ones stay, bad ones are listed", func(t *testing.T) {
			storetest.Contact(t, s, owner.ID, "known@example.org")
			report, err := h.ImportContacts(t.Context(), owner, "клиенты.csv", strings.NewReader(strings.Join([]string{
				"ФИО;Почта;Комментарий", // 1
				"Ёлкина Анна Сергеевна;Anna@Example.ORG;давняя",
				"Новое Имя;known@example.org;", // 3
				"Дважды Анна;anna@example.org;",
				";;", // 5: blank
				"Без Адреса;;",
				"Кривой Адрес;anna@@x;", // 7
				"\"Не закрыто;x@example.org;",
				"Длинное " + strings.Repeat("ы", 101) + ";long@example.org;", // 9
				"Последний Пётр;petr@почта.рф;\"в две\nстроки\"",
			}, "\r\n")))
			must(t, err)
			if numbers(report) != [4]int64{8, 2, 1, 5} || report.Fault != "" || report.Filename != "клиенты.csv" {
				t.Errorf("report %+v", report)
			}
			if stored, err := h.Import(t.Context(), owner, report.ID); err != nil || stored != report {
				t.Errorf("stored %+v, %v", stored, err)
			}
			want := []string{
				"4 csv_repeated anna@example.org", "6 email_empty ", "7 email_malformed anna@@x", "8 csv_quotes \"Не закрыто;x@example.org;",
				"9 text_too_long " + strings.Repeat("ы", 101),
			}
			if got := h.refused(t, owner, report.ID); !slices.Equal(got, want) {
				t.Errorf("refused %q", got)
			}
			anna, err := s.ContactByEmail(t.Context(), owner.ID, "anna@example.org")
			if err != nil || anna.FirstName != "Анна Сергеевна" || anna.LastName != "Ёлкина" || anna.Comment != "давняя" {
				t.Errorf("got %+v, %v", anna, err)
			}
			known, err := s.ContactByEmail(t.Context(), owner.ID, "known@example.org")
			if err != nil || known.FirstName != "Иван" {
				t.Errorf("got %+v, %v", known, err)
			}
			petr, err := s.ContactByEmail(t.Context(), owner.ID, "petr@xn--80a1acny.xn--p1ai")
			if err != nil || petr.Comment != "в две\nстроки" {
				t.Errorf("got %+v, %v", petr, err)
			}
		})
		t.Run("refused lines are read page by page", func(t *testing.T) {
			list, err := h.Imports(t.Context(), owner)
			must(t, err)
			page, err := h.ImportRefusals(t.Context(), owner, list[0].ID, 6, 2)
			if err != nil || len(page) != 2 || page[0].Line != 7 || page[0].Params["email"] != "anna@@x" {
				t.Errorf("got %+v, %v", page, err)
			}
		})
		t.Run("the first of two lines with one address counts", func(t *testing.T) {
			report, err := h.ImportContacts(t.Context(), owner, "", strings.NewReader("two@x.ru,First\nTWO@x.ru,Second\n"))
			if err != nil || numbers(report) != [4]int64{2, 1, 0, 1} {
				t.Errorf("got %+v, %v", report, err)
			}
			if c, err := s.ContactByEmail(t.Context(), owner.ID, "two@x.ru"); err != nil || c.FirstName != "First" {
				t.Errorf("got %+v, %v", c, err)
			}
		})
	})
}

func TestImportOfNoList(t *testing.T) {
	cases := map[string]struct{ file, code string }{
		"an empty file":             {"", "csv_empty"},
		"a header alone":            {"Имя;Почта\r\n", "csv_empty"},
		"blank lines":               {"Имя;Почта\r\n;\r\n\r\n", "csv_empty"},
		"a spreadsheet":             {"PK\x03\x04", "csv_is_spreadsheet"},
		"a binary file":             {"\x00\x01\x02", "csv_binary"},
		"a file with no e-mails":    {"Имя;Телефон\nИван;+7 900\n", "csv_no_email_column"},
		"a thousand broken lines":   {strings.Repeat("\"a\"b\n", 1000), "csv_binary"},
		"broken lines and no names": {"\"a\"b\nИмя;Телефон\n", "csv_no_email_column"},
	}
	for name, c := range cases {
		t.Run(name+" is refused and leaves no report", func(t *testing.T) {
			h := newHouse(t)
			owner := h.person(t, "owner@example.org", mailing.RoleUser)
			_, err := h.ImportContacts(t.Context(), owner, "x", strings.NewReader(c.file))
			want(t, err, c.code)
			if mailing.KindOf(err) != mailing.Invalid {
				t.Errorf("kind %d", mailing.KindOf(err))
			}
			if list, err := h.Imports(t.Context(), owner); err != nil || len(list) != 0 {
				t.Errorf("reports %v, %v", list, err)
			}
		})
	}
	t.Run("lines of which none can be used are listed", func(t *testing.T) {
		h := newHouse(t)
		owner := h.person(t, "owner@example.org", mailing.RoleUser)
		report, err := h.ImportContacts(t.Context(), owner, "x", io.MultiReader(
			strings.NewReader("email\n"), io.LimitReader(repeat("x"), 1<<20), strings.NewReader("\n\"a\n")))
		if err != nil || numbers(report) != [4]int64{2, 0, 0, 2} {
			t.Errorf("got %+v, %v", report, err)
		}
		want := []string{"2 csv_line_too_long " + strings.Repeat("x", 200), "3 csv_quotes \"a"}
		if got := h.refused(t, owner, report.ID); !slices.Equal(got, want) {
			t.Errorf("refused %q", got)
		}
	})
}

type repeat string

func (r repeat) Read(p []byte) (int, error) {
	return copy(p, strings.Repeat(string(r), len(p)/len(r)+1)), nil
}

// bigFile is a CSV file of rows lines, and how many of them are bad: three of
// each hundred, each in its own way.
func bigFile(rows int64) (io.Reader, int64) {
	var file bytes.Buffer
	file.WriteString("Имя;Фамилия;Почта;Комментарий\r\n")
	var bad int64
	for i := range rows {
		switch {
		case i%100 == 7:
			bad++
			fmt.Fprintf(&file, "Иван;Петров;ivan%d@@example.org;\r\n", i)
		case i%100 == 50:
			bad++
			fmt.Fprintf(&file, "\"Иван;Петров;ivan%d@example.org;\r\n", i)
		case i%100 == 90:
			bad++
			fmt.Fprintf(&file, "%s;Петров;ivan%d@example.org;\r\n", strings.Repeat("й", 101), i)
		default:
			fmt.Fprintf(&file, "Иван;Петров;ivan%d@example.org;\"клиент, с %d\"\r\n", i, 1990+i%30)
		}
	}
	return &file, bad
}

func TestBigImport(t *testing.T) {
	h := newHouse(t)
	owner := h.person(t, "owner@example.org", mailing.RoleUser)
	rows := int64(20_000)
	if os.Getenv("VESTNIK_TEST_SYSTEM") == "1" { // which lets tests take long
		rows = 100_000
	}
	file, bad := bigFile(rows)
	if bad != 3*rows/100 {
		t.Fatalf("%d bad lines", bad)
	}
	heap := &heapWatch{in: file}
	began := time.Now()
	report, err := h.ImportContacts(t.Context(), owner, "big.csv", heap)
	took := time.Since(began)
	must(t, err)
	t.Run("each line is accounted for", func(t *testing.T) {
		if numbers(report) != [4]int64{rows, rows - bad, 0, bad} {
			t.Errorf("got %+v", report)
		}
		if n := h.rows(t, "select count(*) from contacts"); int64(n) != rows-bad {
			t.Errorf("%d contacts", n)
		}
		codes := map[string]int64{}
		for _, line := range h.refused(t, owner, report.ID) {
			codes[strings.Fields(line)[1]]++
		}
		if !maps.Equal(codes, map[string]int64{"email_malformed": bad / 3, "csv_quotes": bad / 3, "text_too_long": bad / 3}) {
			t.Errorf("refused %v", codes)
		}
	})
	t.Run("it takes little memory", func(t *testing.T) {
		t.Logf("%d lines in %v; at most %d MB of heap besides the file", rows, took.Round(time.Millisecond), heap.grown()>>20)
		if int64(heap.grown()) > 160*rows { // the file alone has 50 bytes a line, its contacts in memory 300
			t.Errorf("took %d bytes", heap.grown())
		}
	})
	t.Run("importing it again adds nobody", func(t *testing.T) {
		file, _ := bigFile(rows)
		report, err := h.ImportContacts(t.Context(), owner, "big.csv", file)
		if err != nil || numbers(report) != [4]int64{rows, 0, rows - bad, bad} {
			t.Errorf("got %+v, %v", report, err)
		}
	})
}

// heapWatch looks at the heap now and then while the file is read.
type heapWatch struct {
	in          io.Reader
	reads       int
	first, most uint64
}

func (w *heapWatch) Read(p []byte) (int, error) {
	if w.reads%8 == 0 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		if w.reads == 0 {
			w.first = stats.HeapAlloc
		}
		w.most = max(w.most, stats.HeapAlloc)
	}
	w.reads++
	return w.in.Read(p)
}

func (w *heapWatch) grown() uint64 { return w.most - w.first }

func TestImportThatBreaksOff(t *testing.T) {
	lines := func(from, to int) io.Reader {
		var file strings.Builder
		for i := from; i < to; i++ {
			fmt.Fprintf(&file, "ivan%d@example.org\n", i)
		}
		return strings.NewReader(file.String())
	}
	// again imports the whole list and expects that what was added stays.
	again := func(t *testing.T, h *house, owner mailing.Account, broken store.Import) {
		t.Helper()
		stored, err := h.Import(t.Context(), owner, broken.ID)
		if err != nil || stored != broken || stored.FinishedAt.IsZero() {
			t.Errorf("stored %+v, %v; returned %+v", stored, err, broken)
		}
		if broken.Added == 0 || int(broken.Added) != h.rows(t, "select count(*) from contacts") {
			t.Errorf("%d were added", broken.Added)
		}
		report, err := h.ImportContacts(t.Context(), owner, "again.csv", lines(0, 10_000))
		if err != nil || numbers(report) != [4]int64{10_000, 10_000 - broken.Added, broken.Added, 0} {
			t.Errorf("again: %+v, %v", report, err)
		}
	}
	t.Run("when the upload breaks off, what arrived is added", func(t *testing.T) {
		h := newHouse(t)
		owner := h.person(t, "owner@example.org", mailing.RoleUser)
		gone := errors.New("gone")
		report, err := h.ImportContacts(t.Context(), owner, "x", io.MultiReader(lines(0, 5500), iotest.ErrReader(gone)))
		want(t, err, "import_upload_broken")
		if !errors.Is(err, gone) || report.Fault != "import_upload_broken" || report.Added != 5500 {
			t.Errorf("got %+v, %v", report, err)
		}
		again(t, h, owner, report)
	})
	t.Run("when nothing arrived, there is no report", func(t *testing.T) {
		h := newHouse(t)
		owner := h.person(t, "owner@example.org", mailing.RoleUser)
		_, err := h.ImportContacts(t.Context(), owner, "x", iotest.ErrReader(errors.New("gone")))
		want(t, err, "import_upload_broken")
	})
	t.Run("when it is cancelled, the report says so", func(t *testing.T) {
		h := newHouse(t)
		owner := h.person(t, "owner@example.org", mailing.RoleUser)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		report, err := h.ImportContacts(ctx, owner, "x", io.MultiReader(lines(0, 5500), calls(cancel), lines(5500, 10_000)))
		if !errors.Is(err, context.Canceled) || report.Fault != "import_cancelled" {
			t.Errorf("got %+v, %v", report, err)
		}
		again(t, h, owner, report)
	})
	t.Run("when the process is killed on the way, the deed is there already", func(t *testing.T) {
		h := newHouse(t)
		owner := h.person(t, "owner@example.org", mailing.RoleUser)
		deeds := 0
		killed := calls(func() {
			deeds = h.rows(t, "select count(*) from deeds where action = 'contact.import' and actor_id = $1", owner.ID)
		})
		_, err := h.ImportContacts(t.Context(), owner, "x", io.MultiReader(lines(0, 5500), killed, lines(5500, 10_000)))
		must(t, err)
		if deeds != 1 || h.rows(t, "select count(*) from deeds where action = 'contact.import'") != 1 {
			t.Errorf("there were %d deeds on the way", deeds)
		}
	})
	t.Run("when the database fails, the report says so, too", func(t *testing.T) {
		h := newHouse(t)
		owner := h.person(t, "owner@example.org", mailing.RoleUser)
		statement := func(sql string) {
			_, err := h.store.Writer().ExecContext(t.Context(), sql)
			must(t, err)
		}
		breakIt := calls(func() {
			statement("create trigger broken before insert on contacts begin select raise(abort, 'disk full'); end")
		})
		report, err := h.ImportContacts(t.Context(), owner, "x", io.MultiReader(lines(0, 5500), breakIt, lines(5500, 10_000)))
		if err == nil || mailing.KindOf(err) != 0 || !strings.Contains(err.Error(), "disk full") || report.Fault != "import_broken_off" {
			t.Errorf("got %+v, %v", report, err)
		}
		statement("drop trigger broken")
		again(t, h, owner, report)
	})
}

// calls is an empty part of a file that does something when it is read.
type calls func()

func (c calls) Read([]byte) (int, error) {
	c()
	return 0, io.EOF
}

func TestExportRefusals(t *testing.T) {
	h := newHouse(t)
	owner := h.person(t, "owner@example.org", mailing.RoleUser)
	var file strings.Builder
	file.WriteString("email\n=cmd|' /C calc'!A0\n+7 900\n\"say \"\"hi\"\"; ok\"\n")
	for i := range 2500 {
		fmt.Fprintf(&file, "bad%d\n", i)
	}
	report, err := h.ImportContacts(t.Context(), owner, "x", strings.NewReader(file.String()))
	must(t, err)
	var out bytes.Buffer
	must(t, h.ExportRefusals(t.Context(), owner, report.ID, &out, words))
	text, marked := strings.CutPrefix(out.String(), "\ufeff")
	if !marked {
		t.Error("there is no byte order mark")
	}
	in := csv.NewReader(strings.NewReader(text))
	in.Comma = ';'
	rows, err := in.ReadAll()
	must(t, err)
	t.Run("all refused lines are there, with names and reasons", func(t *testing.T) {
		if len(rows) != 2504 || !slices.Equal(rows[0], []string{"Строка", "Значение", "Причина"}) ||
			!slices.Equal(rows[2503], []string{"2504", "bad2499", "email_malformed1"}) {
			t.Errorf("%d rows, %q … %q", len(rows), rows[0], rows[len(rows)-1])
		}
	})
	t.Run("no cell is a formula", func(t *testing.T) {
		if rows[1][1] != "'=cmd|' /C calc'!A0" || rows[2][1] != "'+7 900" || rows[3][1] != `say "hi"; ok` {
			t.Errorf("got %q", rows[1:4])
		}
	})
	t.Run("a list that cannot be written is an error", func(t *testing.T) {
		full := errors.New("disk full")
		if err := h.ExportRefusals(t.Context(), owner, report.ID, failing{full}, words); !errors.Is(err, full) {
			t.Errorf("got %v", err)
		}
	})
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
