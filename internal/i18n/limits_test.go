package i18n

import (
	"testing"

	"vestnik/internal/mailing"
)

func TestLimitsInWords(t *testing.T) {
	ru, en := printers(t)
	for _, c := range []struct {
		limits mailing.Limits
		ru, en string
	}{
		{mailing.Limits{}, "без ограничений", "no limits"},
		{mailing.Limits{Connections: 1, PerHour: 502}, "до 1 соединения, 502 письма в час", "up to 1 connection, 502 mails an hour"},
		{
			mailing.Limits{Connections: 2, Messages: 21, PerSecond: 1, PerDay: 2005},
			"до 2 соединений, 21 письмо за соединение, 1 письмо в секунду, 2\u00a0005 писем в сутки",
			"up to 2 connections, 21 mails over a connection, 1 mail a second, 2,005 mails a day",
		},
	} {
		if got := ru.Limits(c.limits); got != c.ru {
			t.Errorf("%+v is %q in Russian", c.limits, got)
		}
		if got := en.Limits(c.limits); got != c.en {
			t.Errorf("%+v is %q in English", c.limits, got)
		}
	}
}
