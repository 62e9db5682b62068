package picture

import (
	"bytes"
	"image"
	"image/color"
)

// What decoding takes is more than what comes of it; a test measures it. What is thrown
// away on the way counts as well, since it is not collected at once.

// jpegPerPixel: image/jpeg keeps one byte for each colour of a pixel, makes four new ones of
// colours that are not YCbCr, which the head does not always say, and of a file in several passes
// it keeps the coefficients, four bytes for each colour.
func jpegPerPixel(file []byte, c image.Config) int64 {
	colours, made := int64(3), int64(0)
	switch {
	case c.ColorModel == color.GrayModel:
		colours = 1
	case c.ColorModel == color.CMYKModel:
		colours, made = 4, 4
	case c.ColorModel != color.YCbCrModel || bytes.Contains(file, adobe):
		made = 4
	}
	if progressive(file) {
		colours *= 1 + 4
	}
	return colours + made
}

// adobe begins the segment that says which colours there are; it may come after the head.
var adobe = []byte("Adobe")

// progressive reports whether a JPEG file may come in several passes. The pair of
// bytes stands nowhere else in one, save by a rare chance that costs nothing but room.
func progressive(file []byte) bool { return bytes.Contains(file, []byte{0xff, 0xc2}) }

// pngPerPixel: an interlaced file is read as seven pictures, which together are as large as
// the whole. What is grey may turn out to have a colour that is transparent, and takes as
// much as all colours then.
func pngPerPixel(file []byte, c image.Config) int64 {
	const depth, interlace = 24, 28 // places in the file (PNG specification, section 11.2.2)
	perPixel := int64(4)
	if file[depth] == 16 {
		perPixel = 8
	}
	if file[interlace] != 0 {
		perPixel *= 2
	}
	return perPixel
}

// webpPerPixel: x/image/vp8l makes pixels of four bytes, and by a small palette four new ones.
// That it is used, for all or for what shines through, the head does not say.
func webpPerPixel([]byte, image.Config) int64 { return 8 }

// gifPerPixel is more than the one byte for a place in the palette.
func gifPerPixel([]byte, image.Config) int64 { return 4 }
