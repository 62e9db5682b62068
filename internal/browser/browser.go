// Package browser is a Chromium for tests, on a machine without any network but
// itself, and what no page of ours may do in it.
package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	browserlog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// SystemSetting is the environment variable that wants everything to be tested: with
// "1" what is missing on this machine is a failure and not a skip.
const SystemSetting = "VESTNIK_TEST_SYSTEM"

// Need returns the path of a program; without it the test is skipped, or fails where
// everything is to be tested. How says in a word how to get it.
func Need(t testing.TB, name, how string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Lacks(t, fmt.Sprintf("%s is not there; get it with %q", name, how))
	}
	return path
}

// Lacks ends a test for what is missing on this machine.
func Lacks(t testing.TB, why string) {
	t.Helper()
	if os.Getenv(SystemSetting) == "1" {
		t.Fatalf("%s=1 is set, but %s", SystemSetting, why)
	}
	t.Skip(why)
}

// NeedSystem skips a test that takes longer than people wait.
func NeedSystem(t testing.TB) {
	t.Helper()
	if os.Getenv(SystemSetting) != "1" {
		t.Skipf("set %s=1 to run this test, which takes minutes", SystemSetting)
	}
}

// Options are how Chromium is started, at its path, for a person who reads lang.
func Options(path, lang string) []chromedp.ExecAllocatorOption {
	return append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-software-rasterizer", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", lang), chromedp.Flag("accept-lang", lang),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
		// Else a mail's frame is a process of its own, whose faults would be missed.
		chromedp.Flag("disable-features", "Translate,IsolateSandboxedIframes"),
	)
}

// Window makes the window so large, in CSS pixels, and the device light or dark. Nothing
// moves, so that pages are seen at rest.
func Window(width, height int64, scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.EmulateViewport(width, height), Scheme(scheme))
}

// Scheme makes the device light or dark.
func Scheme(scheme string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
			},
		})
		return chromedp.Void{}, err
	}
}

// tooQuick is what the browser says of a field that is filled in before the page
// was painted for the first time, when it would have got the focus. No person is so quick.
const tooQuick = "Autofocus processing was blocked because a document already has a focused element"

// Complaint tells of an event what no page at base may do: complain, fail to load
// something, or ask another host. It is empty for all others.
func Complaint(event any, base string) string {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, base+"/") && !strings.HasPrefix(u, "data:") {
			return fmt.Sprintf("%s asks for %s", e.DocumentURL, u)
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= http.StatusBadRequest {
			return fmt.Sprintf("%s answers %d", e.Response.URL, int(e.Response.Status))
		}
	case *network.EventLoadingFailed:
		if !e.Canceled && e.ErrorText != "net::ERR_ABORTED" {
			return fmt.Sprintf("something was not loaded: %s %s", e.ErrorText, e.BlockedReason)
		}
	case *browserlog.EventEntryAdded:
		// What the network says is told by its own events, with the address.
		if e.Entry.Source != browserlog.EntrySourceNetwork && e.Entry.Level != browserlog.EntryLevelVerbose &&
			!strings.HasPrefix(e.Entry.Text, tooQuick) {
			return fmt.Sprintf("the browser says: %s %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *page.EventJavascriptDialogOpening:
		return fmt.Sprintf("a dialog opens: %s", e.Message)
	case *runtime.EventExceptionThrown:
		return fmt.Sprintf("a script failed: %s", (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
			return fmt.Sprintf("the console says: %s", JS(e.Args))
		}
	}
	return ""
}

// JS writes a value as JavaScript does.
func JS(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // never happens for strings and what the browser itself has sent
	}
	return string(text)
}
