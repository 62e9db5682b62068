package picture_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"sync"
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/picture"
)

// flag is red and green above, blue and white below.
func flag(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, quarters[2*(2*y/h)+2*x/w])
		}
	}
	return m
}

var quarters = [4]color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 255}}

// seen are the quarters of a picture by letters: "RGBW" is the flag upright.
func seen(m image.Image) string {
	size, letters := m.Bounds().Size(), ""
	for i := range 4 {
		r, g, b, _ := m.At(size.X/4+(i%2)*size.X/2, size.Y/4+(i/2)*size.Y/2).RGBA()
		letters += map[[3]bool]string{
			{true, false, false}: "R", {false, true, false}: "G", {false, false, true}: "B", {true, true, true}: "W",
		}[[3]bool{r > 0x8000, g > 0x8000, b > 0x8000}]
	}
	return letters
}

func asJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	return encoded(t, func(out io.Writer) error { return jpeg.Encode(out, m, &jpeg.Options{Quality: 95}) })
}

func asPNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	return encoded(t, func(out io.Writer) error { return png.Encode(out, m) })
}

func asGIF(t testing.TB, m image.Image) []byte {
	t.Helper()
	frame := func(m image.Image) *image.Paletted {
		p := image.NewPaletted(m.Bounds(), color.Palette{quarters[0], quarters[1], quarters[2], quarters[3]})
		for y := range m.Bounds().Dy() {
			for x := range m.Bounds().Dx() {
				p.Set(x, y, m.At(x, y))
			}
		}
		return p
	}
	second := image.NewRGBA(m.Bounds()) // all of one colour, and never shown
	return encoded(t, func(out io.Writer) error {
		return gif.EncodeAll(out, &gif.GIF{Image: []*image.Paletted{frame(m), frame(second)}, Delay: []int{9, 9}})
	})
}

func encoded(t testing.TB, encode func(io.Writer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := encode(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// lossless is the flag, 40 by 20, as a chunk of a WebP file; nothing here can write one.
const lossless = "VlA4TC4AAAAvJ8AEAB8gEEjeHzqN+RcQFPwf3fxHZA+AINtmkpO85AQOENH/2Lap+gxAVccB"

func asWebP(t testing.TB, chunks ...[]byte) []byte {
	t.Helper()
	body, err := base64.StdEncoding.DecodeString(lossless)
	if err != nil {
		t.Fatal(err)
	}
	body = append([]byte("WEBP"), append(body, bytes.Join(chunks, nil)...)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// exif are data that say how a picture lies, and where it was taken.
func exif(order binary.AppendByteOrder, lies int) []byte {
	head := map[bool]string{true: "II*\x00", false: "MM\x00*"}[order.String() == "LittleEndian"]
	b := order.AppendUint32([]byte(head), 8)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 0x010e) // a description
	b = order.AppendUint16(b, 2)
	b = order.AppendUint32(b, 4)
	b = append(b, "HOME"...)
	b = order.AppendUint16(b, 0x0112)
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, uint16(lies))
	return append(b, 0, 0, 0, 0, 0, 0)
}

func jpegWithExif(file, exif []byte) []byte {
	segment := append([]byte("Exif\x00\x00"), exif...)
	head := append([]byte{0xff, 0xd8, 0xff, 0xe1}, byte((len(segment)+2)>>8), byte(len(segment)+2))
	return append(append(head, segment...), file[2:]...)
}

func pngChunk(name string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, name...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// pngWith has a chunk behind the head, which is 33 bytes long.
func pngWith(file []byte, name string, data []byte) []byte {
	return append(append(append([]byte{}, file[:33]...), pngChunk(name, data)...), file[33:]...)
}

func riffChunk(name string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(data)))
	return append(b, data...)
}

func take(t testing.TB, file []byte, form picture.Form) picture.Picture {
	t.Helper()
	p, err := picture.NewIntake().Take(context.Background(), bytes.NewReader(file), form)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func decoded(t testing.TB, file []byte) image.Image {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWhatIsTaken(t *testing.T) {
	for name, file := range map[string][]byte{
		"JPEG": asJPEG(t, flag(400, 200)), "PNG": asPNG(t, flag(400, 200)), "GIF": asGIF(t, flag(400, 200)), "WebP": asWebP(t),
	} {
		t.Run(name+" is told by its content and looks the same", func(t *testing.T) {
			p := take(t, file, picture.Article)
			large := decoded(t, p.Large)
			if got := seen(large); got != "RGBW" {
				t.Errorf("one sees %s", got)
			}
			if size := large.Bounds().Size(); size != image.Pt(p.Width, p.Height) || size.X != 2*size.Y {
				t.Errorf("it is %v, and said to be %d by %d", size, p.Width, p.Height)
			}
			if small := decoded(t, p.Small); seen(small) != "RGBW" || len(p.Hash) != 32 {
				t.Errorf("small one sees %s; the name is %q", seen(small), p.Hash)
			}
		})
	}
	t.Run("what may be seen through stays so", func(t *testing.T) {
		m := image.NewNRGBA(image.Rect(0, 0, 600, 600))
		m.Set(300, 300, color.NRGBA{255, 0, 0, 255})
		p := take(t, asPNG(t, m), picture.Avatar)
		if _, _, _, alpha := decoded(t, p.Small).At(1, 1).RGBA(); p.Type != "image/png" || alpha != 0 {
			t.Errorf("%s, alpha %d", p.Type, alpha)
		}
	})
	t.Run("of the same picture there is one name", func(t *testing.T) {
		file := asJPEG(t, flag(300, 300))
		if a, b := take(t, file, picture.Avatar), take(t, file, picture.Avatar); a.Hash != b.Hash {
			t.Errorf("%s and %s", a.Hash, b.Hash)
		}
		if a, b := take(t, file, picture.Avatar), take(t, asJPEG(t, flag(302, 302)), picture.Avatar); a.Hash == b.Hash {
			t.Errorf("two have %s", a.Hash)
		}
	})
}

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name         string
		w, h         int
		form         picture.Form
		large, small image.Point
	}{
		{"a wide picture is as wide as a page", 4001, 1000, picture.Article, image.Pt(1600, 400), image.Pt(720, 180)},
		{"a tall drawing stays readable", 800, 4000, picture.Article, image.Pt(800, 4000), image.Pt(288, 1440)},
		{"a small one is not made larger", 30, 20, picture.Article, image.Pt(30, 20), image.Pt(30, 20)},
		{"a line has at least one pixel", 3000, 1, picture.Article, image.Pt(1600, 1), image.Pt(720, 1)},
		{"an avatar is the square in the middle", 1000, 601, picture.Avatar, image.Pt(288, 288), image.Pt(96, 96)},
		{"a small avatar stays small", 50, 60, picture.Avatar, image.Pt(50, 50), image.Pt(50, 50)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := take(t, asPNG(t, flag(c.w, c.h)), c.form)
			if got := decoded(t, p.Large).Bounds().Size(); got != c.large {
				t.Errorf("large it is %v, want %v", got, c.large)
			}
			if got := decoded(t, p.Small).Bounds().Size(); got != c.small {
				t.Errorf("small it is %v, want %v", got, c.small)
			}
		})
	}
}

func TestOrientation(t *testing.T) {
	upright := map[int]string{1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB"}
	for lies, want := range upright {
		for name, file := range map[string][]byte{
			"JPEG, big-endian":    jpegWithExif(asJPEG(t, flag(400, 200)), exif(binary.BigEndian, lies)),
			"JPEG, little-endian": jpegWithExif(asJPEG(t, flag(400, 200)), exif(binary.LittleEndian, lies)),
			"PNG":                 pngWith(asPNG(t, flag(400, 200)), "eXIf", exif(binary.BigEndian, lies)),
			"WebP":                asWebP(t, riffChunk("EXIF", exif(binary.LittleEndian, lies))),
		} {
			t.Run(fmt.Sprintf("%s that lies by %d is shown upright", name, lies), func(t *testing.T) {
				p := take(t, file, picture.Article)
				if got := seen(decoded(t, p.Large)); got != want {
					t.Errorf("one sees %s, want %s", got, want)
				}
				if onItsSide := lies >= 5; (p.Width < p.Height) != onItsSide {
					t.Errorf("it is %d by %d", p.Width, p.Height)
				}
				if bytes.Contains(p.Large, []byte("HOME")) || bytes.Contains(p.Small, []byte("Exif")) {
					t.Error("what the camera wrote down is still there")
				}
			})
		}
	}
	t.Run("what says nonsense is shown as it lies", func(t *testing.T) {
		whole := exif(binary.BigEndian, 6)
		for length := range len(whole) - 6 {
			if got := seen(decoded(t, take(t, jpegWithExif(asJPEG(t, flag(40, 20)), whole[:length]), picture.Article).Large)); got != "RGBW" && got != "BRWG" {
				t.Errorf("cut at %d one sees %s", length, got)
			}
		}
		take(t, jpegWithExif(asJPEG(t, flag(40, 20)), exif(binary.BigEndian, 77)), picture.Article)
	})
}

// sized is a PNG file of a few bytes that says it is so large.
func sized(w, h uint32, depth byte) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	head = append(head, depth, 6, 0, 0, 0)
	return append([]byte("\x89PNG\r\n\x1a\n"), append(pngChunk("IHDR", head), pngChunk("IDAT", nil)...)...)
}

func TestWhatIsRefused(t *testing.T) {
	whole := asJPEG(t, flag(400, 200))
	progressive := bytes.Replace(asJPEG(t, flag(5000, 4000)), []byte{0xff, 0xc0}, []byte{0xff, 0xc2}, 1)
	for _, c := range []struct {
		name string
		file []byte
		code string
	}{
		{"nothing", nil, "picture_unknown"},
		{"text", []byte("hello"), "picture_unknown"},
		{"a drawing with a script", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "picture_unknown"},
		{"a page that ends like a picture", append([]byte("<html><script>alert(1)</script>"), whole...), "picture_unknown"},
		{"a sound in the frame of WebP", []byte("RIFF\x04\x00\x00\x00WAVEfmt "), "picture_unknown"},
		{"a head alone", whole[:3], "picture_broken"},
		{"half a picture", whole[:len(whole)/2], "picture_broken"},
		{"half of WebP", asWebP(t)[:40], "picture_broken"},
		{"a picture that says it fills any memory", sized(1<<31-1, 1<<31-1, 8), "picture_broken"},
		{"a picture with a side no camera makes", sized(60000, 10, 8), "picture_too_large"},
		{"a bomb", sized(19000, 19000, 8), "picture_too_large"},
		{"a bomb with deep colours", sized(7000, 7000, 16), "picture_too_large"},
		{"a bomb in several passes", progressive, "picture_too_large"},
		{"a heavy file", append(whole, make([]byte, picture.MaxBytes)...), "picture_too_heavy"},
	} {
		t.Run(c.name+" is refused: "+c.code, func(t *testing.T) {
			_, err := picture.NewIntake().Take(t.Context(), bytes.NewReader(c.file), picture.Article)
			if got := mailing.CodeOf(err); got != c.code {
				t.Errorf("got %q (%v)", got, err)
			}
		})
	}
	t.Run("an error of who sends it is not one of the file", func(t *testing.T) {
		gone := errors.New("gone")
		_, err := picture.NewIntake().Take(t.Context(), io.MultiReader(bytes.NewReader(whole[:99]), failing{gone}), picture.Article)
		if !errors.Is(err, gone) {
			t.Errorf("got %v", err)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestPolyglot(t *testing.T) {
	const evil = "<script>alert(1)</script>"
	for name, file := range map[string][]byte{
		"a page behind a JPEG": append(asJPEG(t, flag(40, 20)), evil...),
		"a page behind a GIF":  append(asGIF(t, flag(40, 20)), evil...),
		"a page in a PNG":      pngWith(asPNG(t, flag(40, 20)), "tEXt", []byte("Comment\x00"+evil)),
		"a page in Exif":       jpegWithExif(asJPEG(t, flag(40, 20)), append(exif(binary.BigEndian, 1), evil...)),
	} {
		t.Run(name+" does not come out again", func(t *testing.T) {
			p := take(t, file, picture.Article)
			if strings.Contains(string(p.Large)+string(p.Small), "script") || seen(decoded(t, p.Large)) != "RGBW" {
				t.Errorf("it is %q", p.Large)
			}
		})
	}
}

func TestMemory(t *testing.T) {
	// Each takes nearly all of the memory there is, so that one waits for the other.
	whole := sized(8000, 8000, 8)
	intake := picture.NewIntake()
	t.Run("of many pictures at once each has its turn, also behind broken ones", func(t *testing.T) {
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				_, err := intake.Take(t.Context(), bytes.NewReader(whole), picture.Avatar)
				if mailing.CodeOf(err) != "picture_broken" {
					t.Error(err)
				}
			})
		}
		wait.Wait()
	})
	t.Run("who has given up takes none", func(t *testing.T) {
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := intake.Take(gone, bytes.NewReader(whole), picture.Avatar); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if _, err := intake.Take(t.Context(), bytes.NewReader(asPNG(t, flag(40, 20))), picture.Avatar); err != nil {
			t.Error(err)
		}
	})
}

func FuzzTake(f *testing.F) {
	f.Add(asJPEG(f, flag(40, 20)))
	f.Add(jpegWithExif(asJPEG(f, flag(40, 20)), exif(binary.LittleEndian, 6)))
	f.Add(asPNG(f, flag(40, 20)))
	f.Add(pngWith(asPNG(f, flag(40, 20)), "eXIf", exif(binary.BigEndian, 8)))
	f.Add(asGIF(f, flag(40, 20)))
	f.Add(asWebP(f, riffChunk("EXIF", exif(binary.LittleEndian, 5))))
	f.Fuzz(func(t *testing.T, file []byte) {
		if config, _, err := image.DecodeConfig(bytes.NewReader(file)); err == nil && config.Width*config.Height > 1<<20 {
			return // takes long, and nothing new comes of it
		}
		p, err := picture.NewIntake().Take(t.Context(), bytes.NewReader(file), picture.Article)
		if err != nil && mailing.KindOf(err) != mailing.Invalid {
			t.Fatal(err)
		}
		if err == nil && decoded(t, p.Large).Bounds().Size() != image.Pt(p.Width, p.Height) {
			t.Errorf("it is not %d by %d", p.Width, p.Height)
		}
	})
}
