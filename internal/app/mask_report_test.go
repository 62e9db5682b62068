package app_test

import (
	"fmt"
	"strings"
	"testing"

	"vestnik/internal/mailing"
)

func TestAMaskedReportNamesNoDomainThatFewShare(t *testing.T) {
	h, owner, has := quietly(t)
	manager := h.person(t, "manager@example.net", mailing.RoleManager)
	admin := h.person(t, "admin@example.net", mailing.RoleAdmin)
	must(t, h.ChangeSettings(t.Context(), admin, map[string]string{"mask_clients": "true"}))
	for who, sees := range map[*mailing.Account]bool{&manager: false, &owner: true, &admin: true} {
		report, err := h.Report(t.Context(), *who, has.run)
		must(t, err)
		all := report.Rest.All
		for _, p := range report.Providers {
			all += p.All
		}
		if got := fmt.Sprint(report.Providers); strings.Contains(got, "example.org") != sees || all != 1 {
			t.Errorf("%s sees %s of %d deliveries", who.Role, got, all)
		}
	}
}
