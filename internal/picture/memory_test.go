package picture_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"runtime"
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/picture"
)

// bits writes numbers of so many bits, the lowest first, as VP8L has them.
type bits struct {
	data []byte
	used int
}

func (b *bits) put(value, width int) {
	for i := range width {
		if b.used%8 == 0 {
			b.data = append(b.data, 0)
		}
		b.data[b.used/8] |= byte(value>>i&1) << (b.used % 8)
		b.used++
	}
}

// oneColour are the five codes of which each has one symbol, so that no pixel takes a bit.
func (b *bits) oneColour() {
	b.put(0, 1) // no cache of colours
	for range 5 {
		b.put(1, 4) // simple, one symbol, of one bit: 0
	}
}

// flatWebP is a WebP file of a few bytes with a picture of one colour, lossless and by a
// palette, behind a head that does not say so.
func flatWebP(w, h int) []byte {
	var b bits
	b.put(0x2f, 8)
	b.put(w-1, 14)
	b.put(h-1, 14)
	b.put(0, 4)
	b.put(1, 1)  // a transform:
	b.put(3, 2)  // by a palette
	b.put(15, 8) // of 16 colours, so that two pixels share a byte
	b.oneColour()
	b.put(0, 1) // no other
	b.put(0, 1)
	b.put(0, 1) // the same codes everywhere
	for range 5 {
		b.put(1, 4)
	}
	head := append([]byte{0, 0, 0, 0}, byte(w-1), byte((w-1)>>8), 0, byte(h-1), byte((h-1)>>8), 0)
	body := bytes.Join([][]byte{[]byte("WEBP"), riffChunk("VP8X", head), riffChunk("VP8L", b.data)}, nil)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func segment(marker byte, data ...byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(data)+2)), data...)
}

// flatJPEG is a JPEG file of one colour: each block of each component is one bit. Which
// colours there are, it says behind the head.
func flatJPEG(w, h, components int, frame, transform byte) []byte {
	size := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{8}, uint16(h)), uint16(w))
	head, scan, codes := append(size, byte(components)), []byte{byte(components)}, make([]byte, 18)
	for c := range components {
		head = append(head, byte(c+1), 0x11, 0)
		scan = append(scan, byte(c+1), 0)
	}
	codes[1] = 1 // of the symbol 0
	blocks := (w + 7) / 8 * ((h + 7) / 8) * components
	last := byte(63)
	if frame == 0xc2 {
		last = 0 // the first pass has the mean of each block
	} else {
		blocks *= 2 // and that nothing differs from it
	}
	return bytes.Join([][]byte{
		{0xff, 0xd8},
		segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...), segment(frame, head...),
		segment(0xee, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), transform)...),
		segment(0xc4, codes...), segment(0xc4, append([]byte{0x10}, codes[1:]...)...),
		segment(0xda, append(scan, 0, last, 0)...), make([]byte, blocks/8+1),
		{0xff, 0xd9},
	}, nil)
}

func TestDecodingTakesNoMoreThanIsCounted(t *testing.T) {
	const side, pixels = 1024, 1024 * 1024
	deep := image.NewNRGBA64(image.Rect(0, 0, side, side))
	const baseline, inPasses = 0xc0, 0xc2
	for name, file := range map[string][]byte{
		"WebP":                        flatWebP(side, side),
		"JPEG":                        asJPEG(t, flag(side, side)),
		"JPEG, grey":                  flatJPEG(side, side, 1, baseline, 0),
		"JPEG in passes, grey":        flatJPEG(side, side, 1, inPasses, 0),
		"JPEG, RGB":                   flatJPEG(side, side, 3, baseline, 0),
		"JPEG, CMYK":                  flatJPEG(side, side, 4, baseline, 0),
		"JPEG, YCCK":                  flatJPEG(side, side, 4, baseline, 2),
		"JPEG in passes":              flatJPEG(side, side, 3, inPasses, 1),
		"JPEG in passes, RGB":         flatJPEG(side, side, 3, inPasses, 0),
		"JPEG in passes, CMYK":        flatJPEG(side, side, 4, inPasses, 0),
		"PNG":                         asPNG(t, flag(side, side)),
		"PNG, deep":                   asPNG(t, deep),
		"PNG, grey with a clear tone": greyWithAClearTone(t, side),
		"PNG, interlaced":             interlaced(t, side),
		"GIF":                         asGIF(t, flag(side, side)),
	} {
		t.Run(name, func(t *testing.T) {
			counted, err := picture.Counted(file)
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := picture.Decode(file); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			taken := float64(after.TotalAlloc-before.TotalAlloc) / pixels
			t.Logf("counted are %.1f bytes a pixel, %.1f are taken", float64(counted)/pixels, taken)
			if slack := 0.5; taken > float64(counted)/pixels+slack { // tables, and what runs beside
				t.Error("more is taken than is counted")
			}
		})
	}
}

// greyWithAClearTone is a deep PNG file that turns out to have more than one colour.
func greyWithAClearTone(t testing.TB, side int) []byte {
	t.Helper()
	return pngWith(asPNG(t, image.NewGray16(image.Rect(0, 0, side, side))), "tRNS", []byte{0, 1})
}

// interlaced is a clear PNG file, in seven passes (PNG specification, section 8.1).
func interlaced(t testing.TB, side int) []byte {
	t.Helper()
	size := 0
	for _, by := range [7]struct{ across, down int }{{8, 8}, {8, 8}, {4, 8}, {4, 4}, {2, 4}, {2, 2}, {1, 2}} {
		size += side / by.down * (1 + 4*side/by.across) // side is a multiple of eight
	}
	pixels := encoded(t, func(out io.Writer) error {
		z := zlib.NewWriter(out)
		_, err := z.Write(make([]byte, size))
		return errors.Join(err, z.Close())
	})
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(side)), uint32(side))
	return bytes.Join([][]byte{
		[]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", append(head, 8, 6, 0, 0, 1)), pngChunk("IDAT", pixels), pngChunk("IEND", nil),
	}, nil)
}

func TestABombOfFewBytesIsRefused(t *testing.T) {
	for name, file := range map[string][]byte{
		"WebP": flatWebP(7000, 7000), "JPEG in passes, CMYK": flatJPEG(4000, 3000, 4, 0xc2, 0),
	} {
		if _, err := picture.Counted(file); mailing.CodeOf(err) != "picture_too_large" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := picture.Counted(flatJPEG(4032, 3024, 3, 0xc2, 1)); err != nil {
		t.Errorf("what a phone makes is refused in several passes: %v", err)
	}
}
