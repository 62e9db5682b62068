package app

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"vestnik/internal/mailing"
)

// maxRecordBytes is how long a record of a CSV file may be, its line breaks
// included. The longest contact we take, 2,200 characters, has at most a seventh
// of it; what is longer is a file with a broken quote, or no CSV.
const maxRecordBytes = 64 << 10

// textEncoding is how the characters of a file are written.
type textEncoding uint8

const (
	encodingUnknown textEncoding = iota // ASCII so far
	encodingUTF8
	encodingWindows1251 // what Excel in Russia writes
)

// readError is that the file did not come to its end. It is the uploader's or
// the network's, not the database's.
type readError struct{ err error }

func (e *readError) Error() string { return "read file: " + e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// magics are the beginnings of files that people take for CSV.
var magics = []struct{ beginning, code string }{
	{"PK\x03\x04", "csv_is_spreadsheet"},                       // xlsx, ods: a zip archive
	{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "csv_is_spreadsheet"}, // xls: an OLE container
	{"\x1F\x8B", "csv_binary"},                                 // gzip
	{"%PDF-", "csv_binary"},
}

// openText returns the file as UTF-8 or Windows-1251 without a byte order mark,
// its first bytes, and which of the two it is. The error is an *mailing.Error
// when the file is no text, or a *readError.
func openText(r io.Reader) (*bufio.Reader, []byte, textEncoding, error) {
	in := bufio.NewReaderSize(r, maxRecordBytes)
	sample, err := peek(in)
	if err != nil {
		return nil, nil, 0, err
	}
	for _, magic := range magics {
		if bytes.HasPrefix(sample, []byte(magic.beginning)) {
			return nil, nil, 0, mailing.FieldFault(mailing.Invalid, "file", magic.code)
		}
	}
	encoding := encodingUnknown
	switch {
	case bytes.HasPrefix(sample, []byte("\xEF\xBB\xBF")):
		encoding = encodingUTF8
		in.Discard(3) // cannot fail: they were peeked
	case bytes.HasPrefix(sample, []byte("\xFF\xFE")), bytes.HasPrefix(sample, []byte("\xFE\xFF")):
		encoding = encodingUTF8
		decoder := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()
		in = bufio.NewReaderSize(transform.NewReader(in, decoder), maxRecordBytes)
	}
	if sample, err = peek(in); err != nil {
		return nil, nil, 0, err
	}
	if bytes.IndexByte(sample, 0) >= 0 {
		return nil, nil, 0, mailing.FieldFault(mailing.Invalid, "file", "csv_binary")
	}
	if encoding == encodingUnknown {
		encoding = guessEncoding(sample)
	}
	return in, sample, encoding, nil
}

// peek returns the first bytes of the file, up to maxRecordBytes.
func peek(in *bufio.Reader) ([]byte, error) {
	sample, err := in.Peek(maxRecordBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &readError{err}
	}
	return sample, nil
}

// guessEncoding counts what would be characters and what would be errors if the
// text were UTF-8. Russian in Windows-1251 makes nearly every letter an error;
// in a UTF-8 file that was damaged somewhere errors are few.
func guessEncoding(text []byte) textEncoding {
	characters, wrong := 0, 0
	for len(text) > 0 {
		if text[0] < utf8.RuneSelf {
			text = text[1:]
			continue
		}
		r, size := utf8.DecodeRune(text)
		switch {
		case r != utf8.RuneError || size > 1:
			characters++
		case utf8.FullRune(text): // else the sample was cut within a character
			wrong++
		}
		text = text[size:]
	}
	switch {
	case characters+wrong == 0:
		return encodingUnknown
	case wrong > characters:
		return encodingWindows1251
	}
	return encodingUTF8
}

// decode returns a line as UTF-8. The first line that is more than ASCII settles
// what the beginning of the file left open.
func (e *textEncoding) decode(line []byte) []byte {
	if *e == encodingUnknown {
		*e = guessEncoding(line)
	}
	if *e != encodingWindows1251 {
		return line
	}
	decoded := make([]byte, 0, 2*len(line))
	for _, b := range line {
		decoded = utf8.AppendRune(decoded, charmap.Windows1251.DecodeByte(b))
	}
	return decoded
}
