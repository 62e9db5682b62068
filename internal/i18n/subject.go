package i18n

import "vestnik/internal/mailing"

// SubjectName is the subject of a message as people call the message and its mailings:
// merge fields are called by their names, "‹Имя›, новости недели".
func (p *Printer) SubjectName(subject string) string {
	return mailing.SubjectName(subject, func(field string) string {
		if key := "field." + field; p.Has(key) {
			field = p.T(key)
		}
		return "‹" + field + "›"
	})
}
