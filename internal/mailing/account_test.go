package mailing

import (
	"testing"
	"time"
)

func TestPermissions(t *testing.T) {
	table := []struct {
		permission           Permission
		user, manager, admin bool
	}{
		{ViewAnyMailing, false, true, true},
		{ViewAnyClient, false, true, true},
		{ViewUsers, false, true, true},
		{BlockUsers, false, true, true},
		{DisableAnyMailing, false, true, true},
		{ChangeAnything, false, false, true},
		{GrantRoles, false, false, true},
		{ManageUsers, false, false, true},
		{ManageService, false, false, true},
		{ManageRelays, false, false, true},
		{EndHold, false, false, true},
		{ViewAudit, false, false, true},
		{ResetFactors, false, false, true},
		{WriteBlog, false, false, true},
		{InviteUsers, false, false, true},
	}
	for _, row := range table {
		for role, want := range map[Role]bool{RoleUser: row.user, RoleManager: row.manager, RoleAdmin: row.admin, "": false, "king": false} {
			name := string(role) + " may not " + string(row.permission)
			if want {
				name = string(role) + " may " + string(row.permission)
			}
			t.Run(name, func(t *testing.T) {
				if role.May(row.permission) != want {
					t.Error("it is otherwise")
				}
			})
		}
	}
	t.Run("the table above knows every permission", func(t *testing.T) {
		if len(table) != len(permissions[RoleAdmin]) {
			t.Errorf("%d and %d", len(table), len(permissions[RoleAdmin]))
		}
	})
	t.Run("there are three roles", func(t *testing.T) {
		for role, want := range map[Role]bool{RoleUser: true, RoleManager: true, RoleAdmin: true, "": false, "Admin": false} {
			if role.Valid() != want {
				t.Errorf("%q: Valid() = %v", role, !want)
			}
		}
	})
}

func TestAccount(t *testing.T) {
	then := time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		account Account
		active  bool
	}{
		"who has not confirmed is not active": {Account{}, false},
		"who confirmed is active":             {Account{ConfirmedAt: then}, true},
		"who is blocked is not active":        {Account{ConfirmedAt: then, BlockedAt: then}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if c.account.Active() != c.active {
				t.Error("it is otherwise")
			}
		})
	}
	for name, account := range map[string]Account{
		"Анна Петрова": {FirstName: "Анна", LastName: "Петрова", Email: "a@x.ru"},
		"Анна":         {FirstName: "Анна", Email: "a@x.ru"},
		"Петрова":      {LastName: "Петрова", Email: "a@x.ru"},
		"a@x.ru":       {Email: "a@x.ru"},
	} {
		t.Run("one is called "+name, func(t *testing.T) {
			if got := account.Name(); got != name {
				t.Errorf("got %q", got)
			}
		})
	}
}
