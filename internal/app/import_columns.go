package app

import (
	"slices"
	"strings"
	"unicode"

	"vestnik/internal/mailing"
)

// none is the place of a column that a file does not have, as slices.Index gives it.
const none = -1

// columns says where in a record the fields of a contact are, from 0.
type columns struct {
	email, firstName, lastName, patronymic, comment int

	fullName     int  // first and last name in one column
	surnameFirst bool // in it: «Фамилия Имя Отчество», not "First Last"
}

// The names of columns, in lower case, with е for ё and letters and digits only.
// An earlier name wins over a later one: where there is an «e-mail», «адрес» is
// the one of the house.
var (
	emailNames = []string{
		"email", "emailaddress", "emailадрес", "адресemail", "адресэлектроннойпочты", "электроннаяпочта",
		"адресэлпочты", "элпочта", "электронныйадрес", "эладрес", "адреспочты", "почта", "имейл", "имэйл", "емейл", "емайл",
		"мейл", "мэйл", "mail", "mailaddress", "адрес", "address",
	}
	firstNames      = []string{"имя", "firstname", "givenname", "forename", "имяклиента", "first"}
	lastNames       = []string{"фамилия", "lastname", "surname", "familyname", "фамилияклиента", "last"}
	patronymicNames = []string{"отчество", "middlename", "patronymic"}
	commentNames    = []string{
		"комментарий", "комментарии", "примечание", "примечания", "заметка", "заметки", "comment", "comments",
		"note", "notes", "remark", "remarks", "описание", "description",
	}
	surnameFirstNames = []string{"фио", "фамилияимяотчество", "фамилияимя", "фамилияиимя"}
	fullNames         = []string{"name", "fullname", "имяфамилия", "имяифамилия", "полноеимя", "displayname", "клиент"}
)

// columnsOf finds the columns by the first record of a file. It reports whether
// that record is a header; without one, the column with an address is the
// e-mail, and the others are first name, last name and comment in this order.
// The error is csv_no_email_column, with the columns there are.
func columnsOf(cells []string) (c columns, header bool, err error) {
	if i, found := addressCell(cells); found {
		return columnsByOrder(i, len(cells)), false, nil
	}
	c = columnsByName(cells)
	if c.email == none {
		return c, true, mailing.FieldFault(mailing.Invalid, "file", "csv_no_email_column", "columns", columnList(cells))
	}
	return c, true, nil
}

// addressCell finds the cell that is an address, or if none is, the first that
// was meant to be one. No name of a column has an @.
func addressCell(cells []string) (int, bool) {
	i := slices.IndexFunc(cells, isAddress)
	if i == none {
		i = slices.IndexFunc(cells, func(cell string) bool { return strings.Contains(cell, "@") })
	}
	return i, i != none
}

func isAddress(cell string) bool {
	if !strings.Contains(cell, "@") {
		return false
	}
	_, err := mailing.NormalizeEmail(asTyped(cell))
	return err == nil
}

func columnsByOrder(email, count int) columns {
	c := columns{email: email, firstName: none, lastName: none, patronymic: none, comment: none, fullName: none}
	others := []*int{&c.firstName, &c.lastName, &c.comment}
	for i := range count {
		if i != email && len(others) > 0 {
			*others[0], others = i, others[1:]
		}
	}
	return c
}

func columnsByName(cells []string) columns {
	names := make([]string, len(cells))
	for i, cell := range cells {
		names[i] = columnName(cell)
	}
	c := columns{
		email: place(names, emailNames), firstName: place(names, firstNames), lastName: place(names, lastNames),
		patronymic: place(names, patronymicNames), comment: place(names, commentNames),
		fullName: place(names, surnameFirstNames),
	}
	c.surnameFirst = c.fullName != none
	if !c.surnameFirst {
		c.fullName = place(names, fullNames)
	}
	// «Client e-mail», «Почта для рассылки»: a name that only holds the word.
	for i := 0; c.email == none && i < len(names); i++ {
		if strings.Contains(names[i], "email") || strings.Contains(names[i], "почта") {
			c.email = i
		}
	}
	// Beside a last name, "Name" is the first.
	if c.lastName != none && c.firstName == none && !c.surnameFirst {
		c.firstName, c.fullName = c.fullName, none
	}
	return c
}

// place returns where the earliest of the wanted names is.
func place(names, wanted []string) int {
	for _, want := range wanted {
		if i := slices.Index(names, want); i != none {
			return i
		}
	}
	return none
}

func columnName(cell string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, mailing.SearchText(cell))
}

// columnList names the columns for a sentence.
func columnList(cells []string) string {
	var names []string
	for _, cell := range cells {
		if name := mailing.CleanLine(cell); name != "" {
			names = append(names, name)
		}
	}
	return shortened(strings.Join(names, ", "))
}

// untaken names the columns of a header that nothing is read from.
func (c columns) untaken(header []string) string {
	var names []string
	taken := []int{c.email, c.firstName, c.lastName, c.patronymic, c.comment, c.fullName}
	for i, cell := range header {
		if name := mailing.CleanLine(cell); name != "" && !slices.Contains(taken, i) {
			names = append(names, name)
		}
	}
	return shortened(strings.Join(names, ", "))
}

// contact reads a contact, not checked yet, from a record.
func (c columns) contact(cells []string) mailing.Contact {
	cell := func(i int) string {
		if i < 0 || i >= len(cells) {
			return ""
		}
		return strings.TrimSpace(asTyped(strings.TrimSpace(cells[i])))
	}
	contact := mailing.Contact{
		Email: cell(c.email), FirstName: cell(c.firstName), LastName: cell(c.lastName), Comment: cell(c.comment),
	}
	first, last := splitName(cell(c.fullName), c.surnameFirst)
	if contact.FirstName == "" {
		contact.FirstName = first
	}
	if contact.LastName == "" {
		contact.LastName = last
	}
	if patronymic := cell(c.patronymic); patronymic != "" && contact.FirstName != "" {
		contact.FirstName += " " + patronymic
	}
	return contact
}

// splitName splits a whole name into first and last name. A patronymic stays
// with the first name, as people are addressed by both. A single word is the
// first name.
func splitName(full string, surnameFirst bool) (first, last string) {
	words := strings.Fields(full)
	switch n := len(words); {
	case n < 2:
		return full, ""
	case surnameFirst:
		return strings.Join(words[1:], " "), words[0]
	default:
		return strings.Join(words[:n-1], " "), words[n-1]
	}
}
