package app_test

import (
	"bytes"
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

func TestPicturesOfMessages(t *testing.T) {
	h := newHouse(t)
	anna := h.person(t, "anna@example.org", mailing.RoleUser)
	hash, err := h.AddMessagePicture(t.Context(), anna, drawing(t, 900))
	must(t, err)
	kind, data, err := h.Picture(t.Context(), hash, false)
	must(t, err)
	if kind != "image/png" || len(data) == 0 {
		t.Errorf("it is %s of %d bytes", kind, len(data))
	}
	if width := h.rows(t, "select width from pictures"); width != 600 {
		t.Errorf("it is %d wide, wider than a mail", width)
	}
	if deed := h.lastDeedLine(t); !strings.HasPrefix(deed, "picture.add picture") {
		t.Errorf("the deed is %s", deed)
	}
	var archive bytes.Buffer
	must(t, h.ExportAccount(t.Context(), anna, anna.ID, &archive))
	if unzipped(t, archive.Bytes())["pictures/"+hash+".png"] != string(data) {
		t.Error("it is not among what the person takes along")
	}
	must(t, second(h.store.Writer().Exec(`with recursive n(i) as (select 2 union all select i + 1 from n where i < $1)
		insert into account_pictures (account_id, hash) select $2, cast(i as text) from n`, app.MaxAccountPictures, anna.ID)))
	_, err = h.AddMessagePicture(t.Context(), anna, drawing(t, 9))
	want(t, err, "pictures_too_many")
}
