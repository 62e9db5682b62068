package server_test

import (
	"context"
	"encoding/base32"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"vestnik/internal/app"
	"vestnik/internal/auth/authtest"
	"vestnik/internal/config"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
)

// securityStory is what a person does to guard their account.
type securityStory struct {
	*storyVisitor
	config   config.Config
	secret   []byte // of the app that makes codes
	device   string // what the passkey is called
	password string
	mails    []string // subjects that the person is to find
}

const storyGuarded = "olga@example.org"

func TestSecurityStory(t *testing.T) {
	t.Parallel()
	needSystem(t) // a browser computes for long
	storyNeeds(t)
	for lang, s := range map[string]securityStory{
		"ru": {device: "Телефон Ольги", password: "зелёный чайник на полке", mails: []string{
			"Вход по кодам из приложения включён", "Добавлен ключ доступа: Телефон Ольги", "Созданы новые резервные коды", "Пароль изменён",
		}},
		"en": {device: "Olga's phone", password: "green kettle on a shelf", mails: []string{
			"Codes from an app are on", "A new passkey was added: Olga's phone", "New recovery codes were made", "Your password was changed",
		}},
	} {
		t.Run("a person guards their account in "+lang, func(t *testing.T) {
			t.Parallel()
			addr := freeAddr(t)
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				t.Fatal(err)
			}
			// Browsers allow passkeys at a name and at no number.
			s.config = storySettings(t, "VESTNIK_ADDR="+addr, "VESTNIK_BASE_URL=http://localhost:"+port)
			s.makeAccount(t, lang)
			s.storyVisitor = newStoryVisitor(t, storyService(t, s.config), lang)
			s.plugIn()
			s.signIn()
			s.setUpCodes()
			s.addPasskey()
			s.signInByPasskey()
			s.signInInTwoSteps()
			s.proveAgain()
			s.endSession()
			s.changePassword()
			s.findMails()
		})
	}
}

func (s *securityStory) makeAccount(t *testing.T, lang string) {
	t.Helper()
	s.withBase(t, func(base *server.Base) error {
		_, err := base.App.CreateAccount(t.Context(), app.NewAccount{
			Email: storyGuarded, FirstName: "Olga", Password: storyPassword, Role: mailing.RoleUser, Lang: lang,
		})
		return err
	})
}

// withBase does something beside the service.
func (s *securityStory) withBase(t *testing.T, do func(*server.Base) error) {
	t.Helper()
	base, err := server.Open(t.Context(), s.config, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	if err := do(base); err != nil {
		t.Fatal(err)
	}
}

// plugIn gives the browser a device that holds passkeys, and a finger that fits.
func (s *securityStory) plugIn() {
	s.do("plug in a device", func(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
		if _, err = cdp.Call(ctx, t, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return none, err
		}
		_, err = cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
			Options: &webauthn.VirtualAuthenticatorOptions{
				Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
				HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
			},
		})
		return none, err
	})
}

func (s *securityStory) signIn() {
	s.open("/login")
	s.sees(s.T("passkey.sign_in"))
	s.look("login-passkey")
	s.fill("email", storyGuarded)
	s.fill("password", storyPassword)
	s.press(s.T("action.sign_in"))
	s.open("/profile")
	s.look("profile")
	s.press(s.T("security.title"))
	s.sees(s.T("security.off"), s.T("security.here"))
	s.look("security-empty")
}

// code is what the app shows so many steps from now.
func (s *securityStory) code(step int) string {
	return authtest.Code(s.secret, time.Now().Add(time.Duration(step)*30*time.Second))
}

func (s *securityStory) setUpCodes() {
	s.press(s.T("security.totp_set_up"))
	s.until("the QR code is there", `document.querySelector(".scan-code").naturalWidth > 100`)
	s.look("totp")
	var err error
	text := strings.ReplaceAll(s.text(".take-text"), " ", "")
	if s.secret, err = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text); err != nil {
		s.t.Fatal(err)
	}
	s.refusing(func() {
		s.fill("code", strings.Map(storyOtherDigit, s.code(0)))
		s.press(s.T("security.totp_enable"))
		s.look("totp-wrong")
	})
	s.fill("code", s.code(0))
	s.press(s.T("security.totp_enable"))
	s.sees(s.T("security.totp_enabled"), s.T("security.codes_once"))
	s.look("recovery-codes")
	s.press(s.T("security.codes_kept"))
	s.sees(s.T("security.on"), s.N("security.codes_left", app.RecoveryCodes))
}

func (s *securityStory) addPasskey() {
	s.press(s.T("security.passkey_add"))
	s.look("passkey-new")
	s.fill("name", s.device)
	s.press(s.T("security.passkey_make"))
	s.sees(s.T("security.passkey_added", "name", s.device), s.T("security.passkey_unused"))
	s.look("security")
	s.click(`[popovertarget^="rename-"]`)
	s.sees(s.T("security.passkey_rename_text"))
	s.picture("passkey-rename")
	s.follow("keep the name", chromedp.Click(chromedp.CSS(`[id^="rename-"] [type=submit]`)))
	s.sees(s.T("security.passkey_renamed"))
	s.press(s.T("security.passkey_add"))
	s.fill("name", "again")
	s.click("[data-passkey] [type=submit]")
	s.sees(s.T("passkey.known"))
	s.look("passkey-known")
}

func (s *securityStory) leave() {
	s.click("details.menu:has(form[action='/logout']) > summary")
	s.follow("sign out", chromedp.Click(chromedp.CSS("form[action='/logout'] button")))
}

func (s *securityStory) signInByPasskey() {
	s.leave()
	s.press(s.T("passkey.sign_in"))
	s.sees("Olga", s.T("home.set_up"))
}

func (s *securityStory) signInInTwoSteps() {
	s.leave()
	s.fill("email", storyGuarded)
	s.fill("password", storyPassword)
	s.press(s.T("action.sign_in"))
	s.sees(s.T("factor.title"), s.T("passkey.use"))
	s.look("factor")
	s.click("details.otherwise summary")
	s.refusing(func() {
		s.fill("recovery", "aaaaa-aaaaa")
		s.follow("try a recovery code", chromedp.Click(chromedp.CSS("details.otherwise [type=submit]")))
		s.sees(s.T("error.code_wrong"))
		s.look("factor-wrong")
	})
	s.fill("code", s.code(1))
	s.press(s.T("action.sign_in"))
	s.sees("Olga", s.T("home.set_up"))
}

// proveAgain wants new recovery codes a while after the sign-in.
func (s *securityStory) proveAgain() {
	s.withBase(s.t, func(base *server.Base) error {
		_, err := base.Store.Writer().Exec(`update sessions set data = replace(cast(data as text), '"proof":"1', '"proof":"0')`)
		return err
	})
	s.open("/profile/security")
	s.click(`[popovertarget="codes-renew"]`)
	s.sees(s.T("security.codes_renew_title"))
	s.picture("codes-renew")
	s.refusing(func() {
		s.follow("renew the codes", chromedp.Click(chromedp.CSS(`#codes-renew [type=submit]`)))
		s.sees(s.T("proof.title"), s.T("proof.kept"))
		s.look("proof")
	})
	s.fill("proof_answer", storyPassword)
	s.press(s.T("action.confirm"))
	s.sees(s.T("security.codes_once"))
}

// endSession finds a phone in the list, and signs out there.
func (s *securityStory) endSession() {
	s.withBase(s.t, func(base *server.Base) error {
		olga, err := base.App.AccountByEmail(s.t.Context(), storyGuarded)
		if err != nil {
			return err
		}
		return base.Store.PutSession(s.t.Context(), mailing.Session{
			Key: "phone", AccountID: olga.ID, Address: "2001:db8:1:2::/64", FirstSeen: time.Now().Add(-50 * time.Hour),
			LastSeen: time.Now().Add(-26 * time.Hour), Agent: "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
		}, []byte("{}"), time.Now().Add(time.Hour))
	})
	s.open("/profile/security")
	s.sees("Chrome · Android", "2001:db8:1:2::/64", s.T("security.end_others"))
	s.look("sessions")
	s.press(s.T("security.session_end"))
	s.sees(s.T("security.session_ended"))
	s.holds("the phone is gone", `!document.body.innerText.includes("Android")`)
}

func (s *securityStory) changePassword() {
	s.open("/profile/security")
	s.refusing(func() {
		s.fill("old", "not the password")
		s.fill("password", s.password)
		s.fill("again", s.password)
		s.press(s.T("security.password_change"))
		s.sees(s.T("error.password_wrong"))
		s.look("password-wrong")
	})
	s.fill("old", storyPassword)
	s.fill("password", s.password)
	s.fill("again", s.password)
	s.press(s.T("security.password_change"))
	s.sees(s.T("security.password_changed"))
	s.look("security-full")
}

// findMails finds the mails about all that in the demo mailbox.
func (s *securityStory) findMails() {
	s.open("/demo")
	for _, subject := range s.mails {
		s.reloads("there is a mail: "+subject, `document.body.innerText.includes(`+storyJS(subject)+`)`, time.Now().Add(storyPatience))
	}
	s.look("mails")
}
