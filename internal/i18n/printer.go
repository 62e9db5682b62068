package i18n

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"

	"vestnik/internal/mailing"
)

// Printer renders in one language and one time zone. It never changes and is
// safe for concurrent use.
type Printer struct {
	lang      string
	zone      *time.Location
	messages  map[string]*i18n.Message
	localizer *i18n.Localizer
}

// In returns a printer that shows times in zone.
func (p *Printer) In(zone *time.Location) *Printer {
	with := *p
	with.zone = zone
	return &with
}

// Lang returns the language as ISO 639-1 code, fit for <html lang>.
func (p *Printer) Lang() string { return p.lang }

// Has reports whether there is a text for key.
func (p *Printer) Has(key string) bool { return p.messages[key] != nil }

// T returns the text of key. Args come in pairs of name and value and fill its
// {{.name}}. A key without a text is returned itself, so that the gap is seen.
func (p *Printer) T(key string, args ...any) string { return p.text(key, pairs(args)) }

// N returns the text of key in the plural form that count asks for. The text
// may hold {{.count}}, which is written with its digits grouped.
func (p *Printer) N(key string, count int64, args ...any) string {
	data := pairs(args)
	data["count"] = p.Number(count)
	return p.render(key, &i18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: count})
}

// text spares the ordinary text, which has no parameters, all machinery: a
// page has hundreds of them.
func (p *Printer) text(key string, data map[string]any) string {
	message := p.messages[key]
	if message == nil {
		return key
	}
	if !strings.Contains(message.Other, "{{") {
		return message.Other
	}
	return p.render(key, &i18n.LocalizeConfig{MessageID: key, TemplateData: data})
}

func (p *Printer) render(key string, config *i18n.LocalizeConfig) string {
	text, err := p.localizer.Localize(config)
	if err != nil {
		return key // the tests render every text, so only an unknown key comes here
	}
	return text
}

// Error returns what went wrong as one or more sentences for a visitor. The
// code of a mailing.Error is the key below "error."; anything else is our own
// fault, and the sentence says no more than that.
func (p *Printer) Error(err error) string {
	var several mailing.Problems
	if errors.As(err, &several) {
		return p.problems(several)
	}
	var one *mailing.Error
	if errors.As(err, &one) && p.Has("error."+one.Code) {
		return p.text("error."+one.Code, p.named(one.Params))
	}
	return p.T("error.internal")
}

func (p *Printer) problems(several mailing.Problems) string {
	var sentences []string
	for _, one := range several {
		if sentence := p.Error(one); !slices.Contains(sentences, sentence) {
			sentences = append(sentences, sentence)
		}
	}
	return strings.Join(sentences, " ")
}

// named replaces the parameters that are words of our vocabulary by how people
// call them: status "paused" becomes the text of "status.paused", and writes out durations.
func (p *Printer) named(params map[string]any) map[string]any {
	named := maps.Clone(params)
	for name, value := range params {
		if d, isDuration := value.(time.Duration); isDuration {
			named[name] = p.Duration(d)
		}
		word, isText := value.(string)
		if isText && p.Has(name+"."+word) {
			named[name] = p.T(name + "." + word)
		}
	}
	return named
}

func pairs(args []any) map[string]any {
	data := make(map[string]any, len(args)/2+1)
	for i := 0; i+1 < len(args); i += 2 {
		data[args[i].(string)] = args[i+1]
	}
	return data
}
