package picture

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientation is how a picture lies in its file (Exif 2.32, tag 0x0112): 1 upright, 3
// upside down, 6 and 8 on a side, and those between mirrored.
type orientation int

const upright orientation = 1

// onItsSide reports whether width and height change places.
func (o orientation) onItsSide() bool { return o >= 5 }

// turned is the picture upright.
func turned(src *image.RGBA, o orientation) *image.RGBA {
	if o <= upright || o > 8 {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if o.onItsSide() {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			to := o.place(x, y, w-1, h-1)
			copy(out.Pix[out.PixOffset(to.X, to.Y):], src.Pix[src.PixOffset(x, y):][:4])
		}
	}
	return out
}

// place is where a pixel goes; right and bottom are the last column and row.
func (o orientation) place(x, y, right, bottom int) image.Point {
	switch o {
	case 2:
		return image.Pt(right-x, y)
	case 3:
		return image.Pt(right-x, bottom-y)
	case 4:
		return image.Pt(x, bottom-y)
	case 5:
		return image.Pt(y, x)
	case 6:
		return image.Pt(bottom-y, x)
	case 7:
		return image.Pt(bottom-y, right-x)
	case 8:
		return image.Pt(y, right-x)
	}
	return image.Pt(x, y)
}

// jpegOrientation walks the segments of a JPEG file up to the picture (ITU-T T.81,
// annex B) to the one with Exif data.
func jpegOrientation(file []byte) orientation {
	for rest := file[2:]; len(rest) >= 4 && rest[0] == 0xff; {
		marker, length := rest[1], int(binary.BigEndian.Uint16(rest[2:]))
		if marker == 0xda || length < 2 || len(rest) < 2+length { // the picture itself begins
			break
		}
		segment := rest[4 : 2+length]
		if exif, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok && marker == 0xe1 {
			return exifOrientation(exif)
		}
		rest = rest[2+length:]
	}
	return upright
}

// pngOrientation looks for the chunk eXIf (PNG, third edition, section 11.3.4.6).
func pngOrientation(file []byte) orientation {
	return chunkOrientation(file[8:], "eXIf", binary.BigEndian, true)
}

// webpOrientation looks for the chunk EXIF (RFC 9649, section 2.7.1.5).
func webpOrientation(file []byte) orientation {
	return chunkOrientation(file[12:], "EXIF", binary.LittleEndian, false)
}

// chunkOrientation walks chunks: in PNG length, name, data and a checksum; in RIFF
// name, length and data of an even length.
func chunkOrientation(rest []byte, name string, order binary.ByteOrder, isPNG bool) orientation {
	for len(rest) >= 8 {
		length, found, after := order.Uint32(rest[4:]), string(rest[:4]), 0
		if isPNG {
			length, found, after = order.Uint32(rest), string(rest[4:8]), 4
		} else {
			after = int(length & 1)
		}
		rest = rest[8:]
		if int64(length)+int64(after) > int64(len(rest)) {
			break
		}
		if found == name {
			return exifOrientation(bytes.TrimPrefix(rest[:length], []byte("Exif\x00\x00")))
		}
		rest = rest[int(length)+after:]
	}
	return upright
}

// exifOrientation reads the tag from the first directory of Exif data, which are a TIFF
// file (Exif 2.32, section 4.5). What is malformed is upright.
func exifOrientation(tiff []byte) orientation {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(tiff, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(tiff, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return upright
	}
	if len(tiff) < 8 {
		return upright
	}
	start := int64(order.Uint32(tiff[4:]))
	if start+2 > int64(len(tiff)) {
		return upright
	}
	count, entries := int(order.Uint16(tiff[start:])), tiff[start+2:]
	for ; count > 0 && len(entries) >= 12; count, entries = count-1, entries[12:] {
		if order.Uint16(entries) == 0x0112 {
			if o := orientation(order.Uint16(entries[8:])); o >= upright && o <= 8 {
				return o
			}
			break
		}
	}
	return upright
}
