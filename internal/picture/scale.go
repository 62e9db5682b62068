package picture

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
)

// quality is of JPEG; chosen: beyond it files grow and nobody sees a difference.
const quality = 84

// make draws what was decoded in the sizes of the form.
func (form Form) make(decoded image.Image, lies orientation, lossless bool) (Picture, error) {
	area := decoded.Bounds()
	if form.square {
		area = middle(area)
	}
	bound := form.large
	if lies.onItsSide() {
		bound = box{bound.height, bound.width}
	}
	large := turned(scaled(decoded, area, bound), lies)
	small := scaled(large, large.Bounds(), form.small)
	p := Picture{Type: "image/jpeg", Width: large.Rect.Dx(), Height: large.Rect.Dy()}
	encode := encodeJPEG
	if !large.Opaque() || lossless && smallerAsPNG(large) {
		p.Type, encode = "image/png", encodePNG
	}
	var err error
	if p.Large, err = encode(large); err != nil {
		return Picture{}, err
	}
	if p.Small, err = encode(small); err != nil {
		return Picture{}, err
	}
	sum := sha256.Sum256(append(p.Large[:len(p.Large):len(p.Large)], p.Small...))
	p.Hash = hex.EncodeToString(sum[:])[:hashLength]
	return p, nil
}

// middle is the square in the middle of r.
func middle(r image.Rectangle) image.Rectangle {
	side := min(r.Dx(), r.Dy())
	corner := r.Min.Add(image.Pt((r.Dx()-side)/2, (r.Dy()-side)/2))
	return image.Rectangle{Min: corner, Max: corner.Add(image.Pt(side, side))}
}

// fit is the largest size of a picture's shape within b, but no larger than it is.
func (b box) fit(size image.Point) image.Point {
	share := min(1, float64(b.width)/float64(size.X), float64(b.height)/float64(size.Y))
	return image.Pt(max(1, int(float64(size.X)*share+0.5)), max(1, int(float64(size.Y)*share+0.5)))
}

// scaled draws an area of src within b. The kernel that does it well takes far more
// memory for a large source than the source itself; so it gets one that is shrunk by a
// whole number, to less than twice what is wanted.
func scaled(src image.Image, area image.Rectangle, b box) *image.RGBA {
	size := b.fit(area.Size())
	if by := min(area.Dx()/size.X, area.Dy()/size.Y); by > 1 {
		src = shrunk(src, area, by)
		area = src.Bounds()
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	if area.Size() == size {
		draw.Draw(out, out.Rect, src, area.Min, draw.Src)
	} else {
		draw.CatmullRom.Scale(out, out.Rect, src, area, draw.Src, nil)
	}
	return out
}

// shrunk makes one pixel of each square of by times by pixels, their mean. What is
// left over at the right and below is less than one pixel, and dropped.
func shrunk(src image.Image, area image.Rectangle, by int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, area.Dx()/by, area.Dy()/by))
	band := image.NewRGBA(image.Rect(0, 0, out.Rect.Dx()*by, by))
	for y := range out.Rect.Dy() {
		draw.Draw(band, band.Rect, src, area.Min.Add(image.Pt(0, y*by)), draw.Src)
		for x := range out.Rect.Dx() {
			copy(out.Pix[out.PixOffset(x, y):], mean(band, x*by, by))
		}
	}
	return out
}

// mean is that of a square of a band, from the column on, in red, green, blue and alpha.
func mean(band *image.RGBA, from, by int) []byte {
	var sums [4]int
	for y := range by {
		row := band.Pix[band.PixOffset(from, y):][:4*by]
		for i, value := range row {
			sums[i&3] += int(value)
		}
	}
	var pixel [4]byte
	for i, sum := range sums {
		pixel[i] = byte((sum + by*by/2) / (by * by))
	}
	return pixel[:]
}

func encodeJPEG(m *image.RGBA) ([]byte, error) {
	var out bytes.Buffer
	err := jpeg.Encode(&out, m, &jpeg.Options{Quality: quality})
	return out.Bytes(), err
}

func encodePNG(m *image.RGBA) ([]byte, error) {
	var out bytes.Buffer
	err := png.Encode(&out, m)
	return out.Bytes(), err
}

// smallerAsPNG reports whether nothing is to be won by losing anything: of drawings
// and screenshots.
func smallerAsPNG(m *image.RGBA) bool {
	asPNG, err := encodePNG(m)
	if err != nil {
		return false
	}
	asJPEG, err := encodeJPEG(m)
	return err == nil && len(asPNG) <= len(asJPEG)
}
