package ui

// sample is invented text in the language of the page. It is no part of the
// interface, so it does not stand among the translations.
func sample(p Page, russian, english string) string {
	if p.Lang() == "ru" {
		return russian
	}
	return english
}

func galleryColumns(p Page) []Column {
	return []Column{
		{Title: sample(p, "Название", "Name"), Key: "name"},
		{Title: p.T("field.status"), Key: "status"},
		{Title: sample(p, "Следующая отправка", "Next sending"), Key: "next", Pick: "next"},
		{Title: p.T("nav.clients"), Key: "clients", Numeric: true},
		{Title: sample(p, "Действия", "Actions"), Unseen: true},
	}
}

func galleryDays(p Page) []Option {
	return []Option{
		{Value: "1", Label: sample(p, "Пн", "Mon")},
		{Value: "2", Label: sample(p, "Вт", "Tue")},
		{Value: "3", Label: sample(p, "Ср", "Wed")},
		{Value: "4", Label: sample(p, "Чт", "Thu")},
		{Value: "5", Label: sample(p, "Пт", "Fri")},
		{Value: "6", Label: sample(p, "Сб", "Sat")},
		{Value: "7", Label: sample(p, "Вс", "Sun")},
	}
}
