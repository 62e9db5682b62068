package picture

import (
	"bytes"
	"image"
)

// Counted is how much memory is set aside for decoding a file.
func Counted(file []byte) (int64, error) {
	f, err := formatOf(file)
	if err != nil {
		return 0, err
	}
	return f.memory(file)
}

// Decode decodes a file as Take does.
func Decode(file []byte) (image.Image, error) {
	f, err := formatOf(file)
	if err != nil {
		return nil, err
	}
	return f.decode(bytes.NewReader(file))
}
