package app

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"vestnik/internal/mailing"
)

// readCSV gives each record as its line number and its cells, or the code of its fault.
func readCSV(t testing.TB, r io.Reader) []string {
	t.Helper()
	file, err := openCSV(r)
	if err != nil {
		return []string{"file: " + mailing.CodeOf(err)}
	}
	var records []string
	for {
		record, err := file.next()
		if errors.Is(err, io.EOF) {
			return records
		}
		if err != nil {
			return append(records, "error: "+err.Error())
		}
		text := strings.Join(record.cells, "|")
		if record.fault != nil {
			text = record.fault.Code
		}
		records = append(records, fmt.Sprintf("%d %s", record.line, text))
	}
}

func encoded(t *testing.T, text, as string) string {
	t.Helper()
	var err error
	switch as {
	case "Windows-1251":
		text, err = charmap.Windows1251.NewEncoder().String(text)
	case "UTF-16LE":
		text, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
	case "UTF-16BE":
		text, err = unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestCSVReader(t *testing.T) {
	cases := []struct {
		name, file string
		want       []string
	}{
		{"commas part cells", "a@x.ru,Иван\nb@x.ru,Анна\n", []string{"1 a@x.ru|Иван", "2 b@x.ru|Анна"}},
		{"the last line needs no end", "a,b\nc,d", []string{"1 a|b", "2 c|d"}},
		{"semicolons are found", "email;имя\na@x.ru;Иван, сын\n", []string{"1 email|имя", "2 a@x.ru|Иван, сын"}},
		{"tabs are found", "email\tимя\na@x.ru\tИван\n", []string{"1 email|имя", "2 a@x.ru|Иван"}},
		{"bars are found", "email|имя\n", []string{"1 email|имя"}},
		{"a delimiter within quotes does not count", "\"a,b,c\";x@x.ru\n", []string{"1 a,b,c|x@x.ru"}},
		{"one line without a header is parted by what leaves an address", "a@x.ru;Привет, Анна\n", []string{"1 a@x.ru|Привет, Анна"}},
		{"one column needs no delimiter", "email\na@x.ru\n", []string{"1 email", "2 a@x.ru"}},
		{"Excel's sep= is obeyed and left out", "sep=|\na;b|c\n", []string{"2 a;b|c"}},
		{"empty lines are passed over and counted", "a,b\r\n\r\n  \r\nc,d\r\n", []string{"1 a|b", "4 c|d"}},
		{"a line may end with CR alone", "a,b\rc,d\r", []string{"1 a|b", "2 c|d"}},
		{"quotes hold delimiters and quotes", `"Иванов, Иван","ООО ""Ромашка"""` + "\n", []string{`1 Иванов, Иван|ООО "Ромашка"`}},
		{"quotes hold line breaks", "a,\"one\ntwo\r\nthree\"\nb,c\n", []string{"1 a|one\ntwo\nthree", "4 b|c"}},
		{"spaces may stand around quotes", `a, "b" ,c` + "\n", []string{"1 a|b|c"}},
		{"quotes within a cell are themselves", `a,ООО "Ромашка"` + "\n", []string{`1 a|ООО "Ромашка"`}},
		{"quotes may hold nothing", `"",a,""` + "\n", []string{"1 |a|"}},
		{"a comma at the end begins an empty cell", "a,b,\n\"c\",d,\n", []string{"1 a|b|", "2 c|d|"}},
		{
			"a quote that is not closed costs its own line only", "a,b\n\"c,d\ne,f\n\"g\",h\n",
			[]string{"1 a|b", "2 csv_quotes", "3 e|f", "4 g|h"},
		},
		{"a quote that is not closed on the last line costs that line", "a,b\nc,\"d", []string{"1 a|b", "2 csv_quotes"}},
		{"text after a closing quote costs its line", "\"a\"b,c\nd,e\n", []string{"1 csv_quotes", "2 d|e"}},
		{
			"a quoted cell may go over a hundred lines", "a,\"" + strings.Repeat("\n", 99) + "\"\nb,c\n",
			[]string{"1 a|" + strings.Repeat("\n", 99), "101 b|c"},
		},
		{"and over no more", "a,\"" + strings.Repeat("\n", 100) + "\"\n", []string{"1 csv_quotes", `101 csv_quotes`}},
		{"a NUL far into the file costs its line", strings.Repeat("a,b\n", 20000)[:70000] + "\n\x00,c\nd,e\n", nil},
		{"an empty file is refused", "", []string{"file: csv_empty"}},
		{"a file of white space is refused", "\ufeff \r\n\n", []string{"file: csv_empty"}},
		{"a binary file is refused", "\x7fELF\x01\x00\x00", []string{"file: csv_binary"}},
		{"gzip is refused", "\x1f\x8b\x08abc", []string{"file: csv_binary"}},
		{"PDF is refused", "%PDF-1.7\n", []string{"file: csv_binary"}},
		{"xlsx is refused as a spreadsheet", "PK\x03\x04\x14\x00", []string{"file: csv_is_spreadsheet"}},
		{"xls is refused as a spreadsheet", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", []string{"file: csv_is_spreadsheet"}},
		{"UTF-16 without a mark is binary", "a\x00,\x00b\x00", []string{"file: csv_binary"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := readCSV(t, strings.NewReader(c.file))
			if c.want == nil {
				if tail := got[len(got)-2:]; !slices.Equal(tail, []string{"17502 text_nul", "17503 d|e"}) {
					t.Errorf("it ends with %q", tail)
				}
				return
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestCSVEncodings(t *testing.T) {
	const text = "Почта;Имя\nanna@пример.рф;Анна Ёлкина\n"
	want := []string{"1 Почта|Имя", "2 anna@пример.рф|Анна Ёлкина"}
	for _, encoding := range []string{"UTF-8", "Windows-1251", "UTF-16LE", "UTF-16BE"} {
		t.Run(encoding+" is read", func(t *testing.T) {
			if got := readCSV(t, strings.NewReader(encoded(t, text, encoding))); !slices.Equal(got, want) {
				t.Errorf("got %q", got)
			}
		})
	}
	t.Run("UTF-8 with a byte order mark is read without it", func(t *testing.T) {
		if got := readCSV(t, strings.NewReader("\ufeff"+text)); !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
	t.Run("the first Cyrillic after a long ASCII beginning settles the encoding", func(t *testing.T) {
		ascii := strings.Repeat("a@x.ru,Ann\n", 10_000)
		for _, encoding := range []string{"UTF-8", "Windows-1251"} {
			got := readCSV(t, strings.NewReader(ascii+encoded(t, "б@x.ru,Анна\nв@x.ru,Ольга\n", encoding)))
			if tail := got[10_000:]; !slices.Equal(tail, []string{"10001 б@x.ru|Анна", "10002 в@x.ru|Ольга"}) {
				t.Errorf("%s: got %q", encoding, tail)
			}
		}
	})
	t.Run("a damaged line of a UTF-8 file is refused and the others are not", func(t *testing.T) {
		got := readCSV(t, strings.NewReader("имя,почта\nАн\xd0,a@x.ru\nОльга,b@x.ru\n"))
		if !slices.Equal(got, []string{"1 имя|почта", "2 text_not_utf8", "3 Ольга|b@x.ru"}) {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a character cut by the end of the sample is no damage", func(t *testing.T) {
		for shift := range 4 {
			long := "x" + strings.Repeat("y", shift) + ",почта\n" + strings.Repeat("Ж,жжжжжжжжж\n", 5000)
			for _, record := range readCSV(t, strings.NewReader(long))[1:] {
				if !strings.HasSuffix(record, " Ж|жжжжжжжжж") {
					t.Fatalf("got %q", record)
				}
			}
		}
	})
}

func TestCSVReaderUnderStress(t *testing.T) {
	t.Run("a line of 50 MB is refused, costs no memory, and the next is read", func(t *testing.T) {
		long := io.LimitReader(endless('x'), 50<<20)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := readCSV(t, io.MultiReader(strings.NewReader("a,b\n"), long, strings.NewReader("\nc,d\n")))
		runtime.ReadMemStats(&after)
		if !slices.Equal(got, []string{"1 a|b", "2 csv_line_too_long", "3 c|d"}) {
			t.Errorf("got %q", got)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<20 {
			t.Errorf("%d bytes were allocated", allocated)
		}
	})
	t.Run("a long line that opens a quote is refused, too", func(t *testing.T) {
		long := `"` + strings.Repeat("x", maxRecordBytes) + "\nc,d\n"
		if got := readCSV(t, strings.NewReader("a,b\n"+long)); !slices.Equal(got, []string{"1 a|b", "2 csv_line_too_long", "3 c|d"}) {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a quoted cell beyond 64 KB is refused and its lines are read one by one", func(t *testing.T) {
		line := strings.Repeat("x", 1000) + ",y"
		got := readCSV(t, strings.NewReader("a,\"b\n"+strings.Repeat(line+"\n", 80)+"end\"\n"))
		if len(got) != 82 || got[0] != "1 csv_quotes" || got[1] != "2 "+strings.Replace(line, ",", "|", 1) {
			t.Errorf("%d records, first %.40q", len(got), got[0])
		}
	})
	t.Run("an upload that breaks off is an error and no end", func(t *testing.T) {
		broken := io.MultiReader(strings.NewReader(strings.Repeat("a,b\n", 50_000)), iotest.ErrReader(errors.New("gone")))
		got := readCSV(t, broken)
		if last := got[len(got)-1]; last != "error: read file: gone" || len(got) != 50_001 {
			t.Errorf("%d records, last %q", len(got), last)
		}
	})
	t.Run("it makes no difference how the bytes arrive", func(t *testing.T) {
		text := encoded(t, "Почта;Имя\r\na@x.ru;\"Анна\r\nМария\"\r\n\"b;c\r\nd;e\r\n", "UTF-16LE")
		want := readCSV(t, strings.NewReader(text))
		if got := readCSV(t, iotest.OneByteReader(strings.NewReader(text))); !slices.Equal(got, want) || len(got) != 4 {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

func FuzzCSVReader(f *testing.F) {
	for _, seed := range []string{
		"a,b\n\"c\nd\",e\n", "\"\n\"\n\"", "\xff\xfea\x00\n\x00", "\ufeffпочта;имя\r\n", "\xcf\xee\xf7\xf2\xe0;b\n",
		"sep=;\n1;2", "a\rb\r", "\"a\"b\n", "PK\x03\x04", strings.Repeat("\"\n", 150),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := openCSV(strings.NewReader(string(file)))
		if err != nil {
			if mailing.KindOf(err) != mailing.Invalid {
				t.Fatalf("open: %v", err)
			}
			return
		}
		last := int64(0)
		for {
			record, err := c.next()
			if errors.Is(err, io.EOF) {
				return
			}
			var broken *readError
			if err != nil && !errors.As(err, &broken) || err != nil && file[0] < 0xfe {
				t.Fatalf("next: %v", err)
			}
			if err != nil {
				return
			}
			if record.line <= last {
				t.Fatalf("line %d comes after %d", record.line, last)
			}
			last = record.line
			if record.fault == nil && len(record.cells) == 0 {
				t.Fatalf("line %d has neither cells nor a fault", record.line)
			}
			for _, cell := range record.cells {
				if record.fault == nil && (!utf8.ValidString(cell) || strings.Contains(cell, "\x00")) {
					t.Fatalf("line %d holds %q", record.line, cell)
				}
			}
		}
	})
}

func TestColumns(t *testing.T) {
	cases := []struct {
		name, header, row string
		want              string // e-mail / first / last / comment
	}{
		{"Russian names are known", "Имя;Фамилия;Почта;Комментарий", "Иван;Петров;i@x.ru;друг", "i@x.ru/Иван/Петров/друг"},
		{"in any order and case", "ПРИМЕЧАНИЕ;E-MAIL;ФАМИЛИЯ;ИМЯ", "друг;i@x.ru;Петров;Иван", "i@x.ru/Иван/Петров/друг"},
		{"with ё or е", "Емейл;Учёный;Имя", "i@x.ru;да;Иван", "i@x.ru/Иван//"},
		{"English names are known", "First Name;Last Name;Email;Note", "John;Smith;j@x.com;hi", "j@x.com/John/Smith/hi"},
		{"with underscores, too", "first_name;last_name;e_mail;comment", "John;Smith;j@x.com;hi", "j@x.com/John/Smith/hi"},
		{"«Эл. почта» is one", "Эл. почта;Имя", "i@x.ru;Иван", "i@x.ru/Иван//"},
		{"«Адрес» is the e-mail when there is no other", "Адрес;Имя", "i@x.ru;Иван", "i@x.ru/Иван//"},
		{"«Адрес» is the house beside an e-mail", "Адрес;E-mail", "Москва;i@x.ru", "i@x.ru///"},
		{"a name that holds the word serves", "Рабочая почта клиента;Имя", "i@x.ru;Иван", "i@x.ru/Иван//"},
		{"«ФИО» begins with the surname", "ФИО;Почта", "Петров Иван Сергеевич;i@x.ru", "i@x.ru/Иван Сергеевич/Петров/"},
		{"«ФИО» of one word is a first name", "ФИО;Почта", "Иван;i@x.ru", "i@x.ru/Иван//"},
		{"\"Name\" ends with the surname", "Name;Email", "John Ronald Tolkien;j@x.com", "j@x.com/John Ronald/Tolkien/"},
		{"\"Name\" beside a surname is the first name", "Name;Surname;Email", "Mary Ann;Smith;j@x.com", "j@x.com/Mary Ann/Smith/"},
		{"«Отчество» stays with the first name", "Фамилия;Имя;Отчество;Почта", "Петров;Иван;Сергеевич;i@x.ru", "i@x.ru/Иван Сергеевич/Петров/"},
		{"unknown columns are left out", "id;Телефон;Почта", "7;+7 900;i@x.ru", "i@x.ru///"},
		{"a short row has empty fields", "Почта;Имя;Фамилия", "i@x.ru", "i@x.ru///"},
		{"without a header the address is found", "", "Иван;Петров;i@x.ru;друг", "i@x.ru/Иван/Петров/друг"},
		{"and what follows it is in order", "", "i@x.ru;Иван;Петров", "i@x.ru/Иван/Петров/"},
		{"a mistyped address is still no header", "", "i@x,ru;Иван", "i@x,ru/Иван//"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			row := strings.Split(c.row, ";")
			first := row
			if c.header != "" {
				first = strings.Split(c.header, ";")
			}
			found, header, err := columnsOf(first)
			if err != nil || header != (c.header != "") {
				t.Fatalf("header %v, %v", header, err)
			}
			got := found.contact(row)
			if text := strings.Join([]string{got.Email, got.FirstName, got.LastName, got.Comment}, "/"); text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
		})
	}
	t.Run("a header without an e-mail says what there is", func(t *testing.T) {
		_, _, err := columnsOf([]string{"Имя", " ", "Телефон"})
		var fault *mailing.Error
		if !errors.As(err, &fault) || fault.Code != "csv_no_email_column" || fault.Params["columns"] != "Имя, Телефон" {
			t.Errorf("got %v", err)
		}
	})
}

func TestNoFormula(t *testing.T) {
	for _, cell := range []string{"=1+1", "+7 900", "-1", "@SUM(A1)", "\tx", "\rx"} {
		t.Run(fmt.Sprintf("%q is kept from being a formula", cell), func(t *testing.T) {
			if got := noFormula(cell); got != "'"+cell {
				t.Errorf("got %q", got)
			}
		})
	}
	for _, cell := range []string{"", "Иван", "a=b", "'x"} {
		t.Run(fmt.Sprintf("%q is left as it is", cell), func(t *testing.T) {
			if got := noFormula(cell); got != cell {
				t.Errorf("got %q", got)
			}
		})
	}
}
