package server_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

// visitor is a person with a browser that keeps cookies and prefers Russian.
type visitor struct {
	t      *testing.T
	base   string
	client *http.Client
}

func newVisitor(t *testing.T, addr string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, base: "http://" + addr, client: &http.Client{Jar: jar, Timeout: 10 * time.Second}}
}

// page is what a visitor sees after all redirects.
type page struct {
	status int
	path   string
	text   string
}

func (v *visitor) get(path string) page { return v.ask(http.MethodGet, path, nil) }

func (v *visitor) post(path string, form url.Values) page {
	return v.ask(http.MethodPost, path, strings.NewReader(form.Encode()))
}

func (v *visitor) ask(method, path string, body io.Reader) page {
	v.t.Helper()
	request, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header.Set("Accept-Language", "ru")
	if body != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", v.base)
	}
	response, err := v.client.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return page{status: response.StatusCode, path: response.Request.URL.Path, text: string(text)}
}

func (v *visitor) signIn(email, password string) page {
	v.t.Helper()
	return v.post("/login", url.Values{"email": {email}, "password": {password}})
}

func (p page) shows(t *testing.T, status int, path string, texts ...string) {
	t.Helper()
	if p.status != status || p.path != path {
		t.Errorf("the answer is %d from %s, want %d from %s", p.status, p.path, status, path)
	}
	for _, text := range texts {
		if !strings.Contains(p.text, text) {
			t.Errorf("the page does not show %q", text)
		}
	}
}

func TestFirstStart(t *testing.T) {
	t.Parallel()
	addr := freeAddr(t)
	started := time.Now()
	p := start(t, "VESTNIK_ADDR="+addr, "VESTNIK_DATA_DIR="+t.TempDir(), "VESTNIK_SAMPLE_DATA=true", "LANG=ru_RU.UTF-8")
	p.says("pages are served", 30*time.Second)
	v := newVisitor(t, addr)

	t.Run("twenty seconds after a first start the sample mailing is in the demo mailbox", func(t *testing.T) {
		v := *v
		v.t = t
		await(t, 20*time.Second, "the mailbox shows the mail to Anna and to the one who defers", func() bool {
			text := v.get("/demo").text
			return strings.Contains(text, "anna@example.org") && strings.Contains(text, "Добро пожаловать, Анна!")
		})
		t.Logf("the sample mailing was there after %s", time.Since(started).Round(time.Millisecond))
	})
	t.Run("with the password of the service's log one signs in and reads every attempt", func(t *testing.T) {
		v := *v
		v.t = t
		said := regexp.MustCompile(`email=(\S+) password=(\S+)`).FindStringSubmatch(p.log.String())
		if said == nil {
			t.Fatal("the log does not say how to sign in")
		}
		v.signIn(said[1], said[2]).shows(t, http.StatusOK, "/")
		v.get("/").shows(t, http.StatusOK, "/", "Из блога", "Первая рассылка за пять минут", "Тема письма")
		await(t, 20*time.Second, "the log shows an accepted, a deferred and a refused mail", func() bool {
			text := v.get("/logs").text
			return strings.Contains(text, "anna@example.org") && strings.Contains(text, "zhanna+defer@example.org") &&
				strings.Contains(text, "zakhar+bounce@example.org")
		})
	})
}

const (
	superuser         = "admin@admin.com"
	superuserPassword = "a long and quiet password"
)

// withSuperuser makes the account that the command csu makes, with the
// well-known code.
func (h *house) withSuperuser() {
	h.t.Helper()
	_, err := h.base.App.CreateAccount(h.t.Context(), app.NewAccount{
		Email: superuser, Password: superuserPassword, Role: mailing.RoleAdmin, Lang: "ru", Code: app.WellKnownCode,
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

const confirmation = "/confirm_code/" + superuser + "/"

func TestSuperuser(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, dbURL string) {
		h := newHouse(t, dbURL)
		h.withSuperuser()
		addr := freeAddr(t)
		start(t, h.settings("VESTNIK_ADDR="+addr, "VESTNIK_BASE_URL=http://"+addr)...).says("pages are served", 30*time.Second)
		v := newVisitor(t, addr)
		t.Run("the superuser cannot sign in before the code", func(t *testing.T) {
			if p := v.signIn(superuser, superuserPassword); p.path == "/" {
				t.Error("they are signed in")
			}
		})
		t.Run("a wrong code is called wrong", func(t *testing.T) {
			v.get(confirmation).shows(t, http.StatusOK, confirmation)
			v.post(confirmation, url.Values{"code": {"4321"}}).shows(t, http.StatusUnprocessableEntity, confirmation, "Неверный код!")
		})
		t.Run("1234 activates the account, and the password opens it", func(t *testing.T) {
			v.post(confirmation, url.Values{"code": {"1234"}}).shows(t, http.StatusOK, "/login")
			v.signIn(superuser, superuserPassword).shows(t, http.StatusOK, "/")
			v.get("/users").shows(t, http.StatusOK, "/admin/users", superuser)
		})
	})
	t.Run("a service that others can reach refuses 1234", func(t *testing.T) {
		h := newHouse(t, storetest.SQLiteURL(t))
		h.withSuperuser()
		addr := freeAddr(t)
		everywhere := "0.0.0.0" + addr[strings.LastIndex(addr, ":"):]
		start(t, h.settings("VESTNIK_ADDR="+everywhere, "VESTNIK_BASE_URL=http://"+addr)...).says("pages are served", 30*time.Second)
		v := newVisitor(t, addr)
		v.post(confirmation, url.Values{"code": {"1234"}}).shows(t, http.StatusUnprocessableEntity, confirmation, "Неверный код!")
		if p := v.signIn(superuser, superuserPassword); p.path == "/" {
			t.Error("they are signed in")
		}
		v.get("/demo").shows(t, http.StatusNotFound, "/demo")
	})
}
