package i18n

import "vestnik/internal/mailing"

// Finding says what was found about a domain, as a sentence.
func (p *Printer) Finding(f mailing.Finding) string {
	params := make([]any, 0, 2*len(f.Params))
	for name, value := range f.Params {
		params = append(params, name, value)
	}
	return p.T("domain.found."+f.Code, params...)
}
