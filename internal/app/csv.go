package app

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"vestnik/internal/mailing"
)

// maxRecordLines is over how many lines a quoted field may go; chosen. A quote
// that was never closed is noticed after that many.
const maxRecordLines = 100

// csvRecord is one record of a CSV file.
type csvRecord struct {
	line  int64    // on which it begins, from 1
	cells []string // good until the next record is read
	fault *mailing.Error
	raw   string // the beginning of the line, when there is a fault
}

// csvReader reads CSV as people really have it: RFC 4180, and besides other
// delimiters and encodings, quotes within a field that is not quoted, and spaces
// around quotes. A line that cannot be read is a record with a fault, and
// reading goes on at the next line: one broken quote must not swallow the rest
// of the file. It holds no more than two records in memory.
type csvReader struct {
	lines csvLines
	parse fieldParser
	extra []csvLine // the lines of a record after its first
}

// openCSV looks at the beginning of the file to find its encoding, its delimiter
// and its line ends. The errors are those of openText, and csv_empty.
func openCSV(r io.Reader) (*csvReader, error) {
	in, sample, encoding, err := openText(r)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(sample)) == 0 {
		return nil, mailing.FieldFault(mailing.Invalid, "file", "csv_empty")
	}
	end := byte('\n')
	if !bytes.ContainsRune(sample, '\n') && bytes.ContainsRune(sample, '\r') {
		end = '\r' // Excel's "CSV (Macintosh)"
	}
	c := &csvReader{lines: csvLines{in: in, end: end, encoding: encoding}}
	first, _, _ := bytes.Cut(sample, []byte{end})
	if comma, told := toldDelimiter(first); told {
		c.parse.comma = comma
		_, err := c.lines.next()
		return c, err
	}
	c.parse.comma = guessDelimiter(sample, end)
	return c, nil
}

// toldDelimiter reads the line "sep=;" with which Excel begins a file when asked to.
func toldDelimiter(line []byte) (byte, bool) {
	text := strings.Trim(string(line), "\" \r")
	if len(text) == 5 && strings.EqualFold(text[:4], "sep=") {
		return text[4], true
	}
	return 0, false
}

// sampleLines is how many lines the delimiter is guessed by; chosen.
const sampleLines = 20

// guessDelimiter takes the delimiter that makes the most lines have a field that
// is an address; of equals the one by which the most lines have as many fields
// as the first; of those the one that makes the most fields.
func guessDelimiter(sample []byte, end byte) byte {
	lines := bytes.SplitN(sample, []byte{end}, sampleLines+1)
	if len(lines) > 1 {
		lines = lines[:len(lines)-1] // it may be cut, or is the rest
	}
	best, bestScore := byte(','), [3]int{}
	for _, comma := range []byte(",;\t|") {
		score := delimiterScore(lines, comma)
		for i := range score {
			if score[i] != bestScore[i] {
				if score[i] > bestScore[i] {
					best, bestScore = comma, score
				}
				break
			}
		}
	}
	return best
}

func delimiterScore(lines [][]byte, comma byte) (score [3]int) {
	for _, line := range lines {
		p := fieldParser{comma: comma}
		state := p.add(bytes.TrimRight(line, "\r"))
		if slices.ContainsFunc(p.cells, isAddress) {
			score[0]++
		}
		if state != recordWhole {
			continue
		}
		if score[2] == 0 {
			score[2] = len(p.cells)
		}
		if len(p.cells) == score[2] && score[2] > 1 {
			score[1]++
		}
	}
	return score
}

// next returns the next record, passing over empty lines. The error is io.EOF
// after the last, or a *readError.
func (c *csvReader) next() (csvRecord, error) {
	for {
		line, err := c.lines.next()
		if err != nil {
			return csvRecord{}, err
		}
		if len(bytes.TrimSpace(line.text)) > 0 {
			return c.record(line)
		}
	}
}

// record reads the record that begins with the line.
func (c *csvReader) record(first csvLine) (csvRecord, error) {
	if fault := first.fault(); fault != nil {
		return first.refused(fault), nil
	}
	c.parse.reset()
	state := c.parse.add(first.text)
	if state == recordWhole {
		return csvRecord{line: first.number, cells: c.parse.cells}, nil
	}
	first.text = bytes.Clone(first.text) // reading on overwrites it
	c.extra = c.extra[:0]
	size := len(first.text)
	for state == recordOpen {
		line, err := c.lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return csvRecord{}, err
		}
		line.text = bytes.Clone(line.text)
		c.extra = append(c.extra, line)
		size += len(line.text) + 1
		if line.fault() != nil || size > maxRecordBytes || len(c.extra) >= maxRecordLines {
			break
		}
		state = c.parse.add(line.text)
	}
	if state == recordWhole {
		return csvRecord{line: first.number, cells: c.parse.cells}, nil
	}
	c.lines.giveBack(c.extra)
	return first.refused(mailing.Fault(mailing.Invalid, "csv_quotes")), nil
}

// csvLine is one line without its end.
type csvLine struct {
	number  int64
	text    []byte // good until the next line is read; its beginning when tooLong
	tooLong bool
}

// fault says why the line cannot be read, or nil.
func (l csvLine) fault() *mailing.Error {
	switch {
	case l.tooLong:
		return mailing.Fault(mailing.Invalid, "csv_line_too_long", "max_kb", maxRecordBytes>>10)
	case !utf8.Valid(l.text):
		return mailing.Fault(mailing.Invalid, "text_not_utf8")
	case bytes.IndexByte(l.text, 0) >= 0:
		return mailing.Fault(mailing.Invalid, "text_nul")
	}
	return nil
}

func (l csvLine) refused(fault *mailing.Error) csvRecord {
	return csvRecord{line: l.number, fault: fault, raw: shortened(string(l.text))}
}

// csvLines reads lines and takes them back.
type csvLines struct {
	in       *bufio.Reader // its buffer is the longest line
	end      byte
	encoding textEncoding
	number   int64
	ahead    []csvLine // taken back, to be read next
}

// tooLongKept is how much of a line that is too long is kept to show, in bytes:
// more than shortened leaves of it.
const tooLongKept = 1024

func (l *csvLines) next() (csvLine, error) {
	if len(l.ahead) > 0 {
		line := l.ahead[0]
		l.ahead = l.ahead[1:]
		return line, nil
	}
	text, err := l.in.ReadSlice(l.end)
	tooLong := errors.Is(err, bufio.ErrBufferFull)
	if tooLong {
		text = bytes.Clone(text[:tooLongKept])
		err = l.skipLine()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return csvLine{}, &readError{err}
	}
	if len(text) == 0 {
		return csvLine{}, io.EOF
	}
	text = bytes.TrimRight(bytes.TrimSuffix(text, []byte{l.end}), "\r")
	l.number++
	return csvLine{number: l.number, text: l.encoding.decode(text), tooLong: tooLong}, nil
}

// skipLine reads to the end of the line.
func (l *csvLines) skipLine() error {
	for {
		if _, err := l.in.ReadSlice(l.end); !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// giveBack takes back the lines that were read last, in their order.
func (l *csvLines) giveBack(lines []csvLine) {
	l.ahead = append(append([]csvLine(nil), lines...), l.ahead...)
}

// recordState is how far a record has been read.
type recordState uint8

const (
	recordWhole  recordState = iota // it ended with the line
	recordOpen                      // a quoted field goes on on the next line
	recordBroken                    // something follows a closing quote
)

// fieldParser splits a record into cells, line by line.
type fieldParser struct {
	comma  byte
	cells  []string
	quoted bool   // the line ended within quotes
	cell   []byte // what the quotes hold so far
}

func (p *fieldParser) reset() {
	p.cells, p.quoted, p.cell = p.cells[:0], false, p.cell[:0]
}

// add takes the next line of the record.
func (p *fieldParser) add(line []byte) recordState {
	if p.quoted {
		p.cell = append(p.cell, '\n')
	}
	for {
		if !p.quoted {
			opening := bytes.TrimLeft(line, " ")
			if len(opening) == 0 || opening[0] != '"' {
				cell, rest, more := bytes.Cut(line, []byte{p.comma})
				p.cells = append(p.cells, string(cell))
				if !more {
					return recordWhole
				}
				line = rest
				continue
			}
			p.quoted, p.cell, line = true, p.cell[:0], opening[1:]
		}
		if line = p.unquote(line); p.quoted {
			return recordOpen
		}
		p.cells = append(p.cells, string(p.cell))
		switch line = bytes.TrimLeft(line, " "); {
		case len(line) == 0:
			return recordWhole
		case line[0] != p.comma:
			return recordBroken
		}
		line = line[1:]
	}
}

// unquote reads up to the closing quote and returns what follows it. Without one
// the field stays open. Two quotes are one (RFC 4180, section 2).
func (p *fieldParser) unquote(line []byte) (rest []byte) {
	for {
		i := bytes.IndexByte(line, '"')
		if i < 0 {
			p.cell = append(p.cell, line...)
			return nil
		}
		p.cell = append(p.cell, line[:i]...)
		line = line[i+1:]
		if len(line) == 0 || line[0] != '"' {
			p.quoted = false
			return line
		}
		p.cell = append(p.cell, '"')
		line = line[1:]
	}
}
