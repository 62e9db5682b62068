package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// picturePrefix is where pictures are. A picture never changes under its name, so
// browsers keep it for a year, the most that means anything (RFC 9111, section 1.2.2).
const (
	picturePrefix       = "/pictures/"
	pictureCacheControl = "public, max-age=31536000, immutable"
)

// pictureLimit is room for one picture and what a form has around it.
const pictureLimit = app.MaxPictureBytes + 1<<20

// picturePath is the address of a picture in one of its sizes; empty for none.
func picturePath(hash string, small bool) string {
	switch {
	case hash == "":
		return ""
	case small:
		return picturePrefix + hash + "/small"
	}
	return picturePrefix + hash
}

// showPicture answers without a session: the name of a picture is all it takes. The
// policy keeps a picture from ever being anything else, and other sites may show it,
// since readers of feeds do.
func (w *Web) showPicture(out http.ResponseWriter, in *http.Request, small bool) {
	visitOf(in.Context()).pattern = in.Pattern
	hash := in.PathValue("hash")
	kind, data, err := w.App.Picture(in.Context(), hash, small)
	if mailing.KindOf(err) == mailing.NotFound {
		http.NotFound(out, in)
		return
	}
	if err != nil {
		w.Log.Error("picture cannot be read", "request", visitOf(in.Context()).id, "error", err)
		w.apologise(out, visitOf(in.Context()))
		return
	}
	h := out.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Cache-Control", pictureCacheControl)
	h.Set("ETag", `"`+hash+`"`)
	http.ServeContent(out, in, "", time.Time{}, bytes.NewReader(data))
}

func (w *Web) servePictures(mux *http.ServeMux) {
	mux.HandleFunc("GET "+picturePrefix+"{hash}", func(out http.ResponseWriter, in *http.Request) { w.showPicture(out, in, false) })
	mux.HandleFunc("GET "+picturePrefix+"{hash}/small", func(out http.ResponseWriter, in *http.Request) { w.showPicture(out, in, true) })
}

// readUpload reads a form with files (RFC 7578), all of it in memory: the route bounds
// it. Errors are about the field.
func (r *request) readUpload(field string, limit int64) error {
	err := r.in.ParseMultipartForm(limit)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil, errors.Is(err, http.ErrNotMultipart): // a form without files
		setBodyDeadline(r.out, time.Time{}) // see readForm
		return nil
	case errors.As(err, &tooLarge):
		return mailing.FieldFault(mailing.Invalid, field, "picture_too_heavy", "max_mb", app.MaxPictureBytes>>20)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return mailing.FieldFault(mailing.Limited, field, "upload_too_slow")
	}
	return mailing.FieldFault(mailing.Invalid, field, "file_missing").Because(err)
}

// uploadOf opens the file that was chosen in a field; false when none was.
func (r *request) uploadOf(field string) (io.ReadCloser, bool, error) {
	if r.in.MultipartForm == nil {
		return nil, false, nil
	}
	for _, header := range r.in.MultipartForm.File[field] {
		if header.Filename != "" {
			file, err := header.Open()
			return file, err == nil, err
		}
	}
	return nil, false, nil
}

// about puts what is wrong with an upload beside its field.
func about(field string, err error) error {
	var one *mailing.Error
	if !errors.As(err, &one) || one.Field != "" {
		return err
	}
	beside := *one
	beside.Field = field
	return &beside
}
