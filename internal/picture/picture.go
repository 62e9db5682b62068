// Package picture takes in pictures that people upload. What a file is, its content
// says, whatever its name and its sender claim. It is made anew from its pixels, so
// that nothing else of the file stays: no place where it was taken, no second format
// hidden in it. Vector drawings are not taken: they can carry scripts.
package picture

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"

	"vestnik/internal/mailing"
)

// MaxBytes is how large an uploaded file may be. Phones make pictures of 3 to 8 MB.
const MaxBytes = 12 << 20

// maxMemory is what all pictures that are decoded at once may take together, in bytes:
// room for one of 50 megapixels, or for four from a phone.
const maxMemory = 256 << 20

// maxSide is beyond what any camera makes; chosen.
const maxSide = 20_000

// hashLength is the number of hexadecimal digits of a Picture's Hash: 128 bits.
const hashLength = 32

// Picture is one picture in the two sizes that pages show it in.
type Picture struct {
	Hash   string // of what is shown, in hexadecimal digits; its name
	Type   string // "image/jpeg" or "image/png", of both sizes
	Width  int    // of Large, in pixels
	Height int
	Large  []byte
	Small  []byte
}

// Form is what a picture is made into. None is made larger than it came.
type Form struct {
	large, small box
	square       bool // only the square in the middle is kept
}

type box struct{ width, height int }

// The forms. Sizes are those at which pages show pictures on the sharpest screens.
var (
	// Avatar is a face of 96 CSS pixels, or of 32 in lists and in the head of pages.
	Avatar = Form{large: box{288, 288}, small: box{96, 96}, square: true}
	// Article goes across a column of text, or on a card. A long drawing is not made
	// so small that nobody could read it.
	Article = Form{large: box{1600, 4800}, small: box{720, 1440}}
	// Mail is as wide as the column of a mail and no wider: Outlook for Windows shows a
	// picture in its own size, whatever styles say.
	Mail = Form{large: box{600, 2400}, small: box{300, 1200}}
)

// Intake takes pictures in, only so many at once as memory is for them. It is safe
// for concurrent use.
type Intake struct{ memory *semaphore.Weighted }

// NewIntake returns an Intake.
func NewIntake() *Intake { return &Intake{semaphore.NewWeighted(maxMemory)} }

// Take reads a file and makes it into a picture. Errors that the file is the cause of
// are picture_too_heavy, picture_too_large, picture_unknown and picture_broken.
func (i *Intake) Take(ctx context.Context, file io.Reader, form Form) (Picture, error) {
	data, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	if err != nil {
		return Picture{}, err
	}
	if len(data) > MaxBytes {
		return Picture{}, mailing.Fault(mailing.Invalid, "picture_too_heavy", "max_mb", MaxBytes>>20)
	}
	f, err := formatOf(data)
	if err != nil {
		return Picture{}, err
	}
	need, err := f.memory(data)
	if err != nil {
		return Picture{}, err
	}
	if err := i.memory.Acquire(ctx, need); err != nil {
		return Picture{}, err
	}
	defer i.memory.Release(need)
	decoded, err := f.decode(bytes.NewReader(data))
	if err != nil {
		return Picture{}, mailing.Fault(mailing.Invalid, "picture_broken").Because(err)
	}
	return form.make(decoded, f.orientation(data), f.lossless)
}

// format is one kind of file that is taken.
type format struct {
	magic       string // "?" is any byte
	config      func(io.Reader) (image.Config, error)
	decode      func(io.Reader) (image.Image, error) // of an animation, the first picture
	orientation func(file []byte) orientation
	perPixel    func(file []byte, c image.Config) int64 // bytes that decoding takes
	lossless    bool
}

var formats = []format{
	{"\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode, jpegOrientation, jpegPerPixel, false},
	{"\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode, pngOrientation, pngPerPixel, true},
	{"RIFF????WEBP", webp.DecodeConfig, webp.Decode, webpOrientation, webpPerPixel, false},
	{"GIF8?a", gif.DecodeConfig, gif.Decode, func([]byte) orientation { return upright }, gifPerPixel, true},
}

func formatOf(file []byte) (format, error) {
	for _, f := range formats {
		if begins(file, f.magic) {
			return f, nil
		}
	}
	return format{}, mailing.Fault(mailing.Invalid, "picture_unknown")
}

func begins(file []byte, magic string) bool {
	if len(file) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != file[i] {
			return false
		}
	}
	return true
}

// memory is how many bytes decoding takes, by what the head of the file says: a small
// file may hold a picture that fills any memory.
func (f format) memory(file []byte) (int64, error) {
	config, err := f.config(bytes.NewReader(file))
	if err == nil && (config.Width <= 0 || config.Height <= 0) {
		err = errNoSize
	}
	if err != nil {
		return 0, mailing.Fault(mailing.Invalid, "picture_broken").Because(err)
	}
	if config.Width > maxSide || config.Height > maxSide {
		return 0, tooLarge(config)
	}
	need := int64(config.Width) * int64(config.Height) * f.perPixel(file, config)
	if need > maxMemory {
		return 0, tooLarge(config)
	}
	return need, nil
}

var errNoSize = errors.New("picture: a size is not told")

func tooLarge(c image.Config) error {
	return mailing.Fault(mailing.Invalid, "picture_too_large", "width", c.Width, "height", c.Height)
}
