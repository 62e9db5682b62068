package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
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

// keeping is what keeps a picture, and returns its name.
type keeping func(ctx context.Context, actor mailing.Account, file io.Reader) (hash string, err error)

// takePicture keeps the picture that was chosen in a field; "" when none was.
func (r *request) takePicture(field string, keep keeping) (hash string, err error) {
	file, chosen, err := r.uploadOf(field)
	if err != nil || !chosen {
		return "", err
	}
	defer file.Close()
	return keep(r.in.Context(), r.actor, file)
}

func pictureMarkdown(hash string) string { return "![](" + picturePath(hash, false) + ")" }

func pictureHTML(hash string) string {
	return `<img src="` + picturePath(hash, false) + `" alt="" style="max-width:100%;height:auto">`
}

// addMessagePicture is for the script of the editor of messages.
func addMessagePicture(r *request) error { return r.answerPicture(r.App.AddMessagePicture) }

// answerPicture takes a picture at once, and answers a script how to show it in each format
// of a text, or in words why not.
func (r *request) answerPicture(keep keeping) error {
	err := r.readUpload("picture", pictureLimit)
	var hash string
	if err == nil {
		hash, err = r.takePicture("picture", keep)
	}
	if err == nil && hash == "" {
		err = mailing.FieldFault(mailing.Invalid, "picture", "file_missing")
	}
	answer, status := map[string]string{
		string(mailing.FormatMarkdown): pictureMarkdown(hash), string(mailing.FormatHTML): pictureHTML(hash),
	}, http.StatusOK
	if err != nil {
		problems, ok := r.problems(err)
		if !ok {
			return err
		}
		status = statuses[mailing.KindOf(err)]
		answer = map[string]string{"problem": problems["picture"] + problems[""]}
	}
	r.out.Header().Set("Content-Type", "application/json")
	r.out.Header().Set("Cache-Control", "no-store")
	r.out.WriteHeader(status)
	return json.NewEncoder(r.out).Encode(answer)
}

// takesPictures are the attributes of a text that pictures are put into, kept at an address.
func takesPictures(p ui.Page, path string) templ.Attributes {
	return templ.Attributes{"data-pictures": path, "data-signed-out": p.T("pictures.signed_out"), "data-no-pictures": p.T("pictures.none_in_text")}
}
