package web

import (
	"net/http"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/web/ui"
)

func (w *Web) healthRoutes() []Route {
	return []Route{{Pattern: "GET /admin/health", Access: SignedIn, Serve: showHealth}}
}

func showHealth(r *request) error {
	vitals, err := r.App.Health(r.in.Context(), r.actor)
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, healthPage(r.page(r.T("admin.health")), vitals))
}

// worst is the condition of the whole.
func worst(vitals []app.Vital) app.Condition {
	whole := app.Good
	for _, v := range vitals {
		if v.Condition == app.Bad || v.Condition == app.Attention && whole == app.Good {
			whole = v.Condition
		}
	}
	return whole
}

func conditionTone(c app.Condition) ui.Tone {
	switch c {
	case app.Bad:
		return ui.Danger
	case app.Attention:
		return ui.Warning
	}
	return ui.Success
}

// vitalWords is what a line says.
func vitalWords(p ui.Page, v app.Vital) string {
	var args []any
	for name, value := range v.With {
		args = append(args, name, vitalValue(p, value))
	}
	if v.Says == "failed" {
		return p.T("health.failed", args...)
	}
	return p.T("health."+v.Part+"_"+v.Says, args...)
}

func vitalValue(p ui.Page, value any) any {
	switch value := value.(type) {
	case int64:
		return p.Number(value)
	case app.Bytes:
		return sizeWords(p, value)
	case time.Duration:
		return p.Duration(value)
	case time.Time:
		return p.Relative(value, p.Now)
	}
	return value
}

// sizeWords is an amount of data in the unit that leaves the fewest digits.
func sizeWords(p ui.Page, n app.Bytes) string {
	for _, unit := range []struct {
		key   string
		bytes app.Bytes
	}{{"size.gb", 1 << 30}, {"size.mb", 1 << 20}} {
		if n >= 10*unit.bytes {
			return p.T(unit.key, "n", p.Number(int64(n/unit.bytes)))
		}
	}
	return p.T("size.kb", "n", p.Number(int64(n>>10)))
}

func healthTable(p ui.Page) ui.Table {
	return ui.Table{Caption: p.T("admin.health"), Columns: []ui.Column{
		{Title: p.T("health.part")}, {Title: p.T("field.status")}, {Title: p.T("health.says")},
	}}
}

// isNextOf reports whether the line is about the same part as the one before it.
func isNextOf(vitals []app.Vital, n int) bool { return n > 0 && vitals[n].Part == vitals[n-1].Part }
