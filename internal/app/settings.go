package app

import (
	"context"
	"slices"
	"strconv"

	"vestnik/internal/mailing"
)

// Settings are what admins change while the service runs, as opposed to those that it
// is started with. To add one, add a field, a row to settingRows, and the texts
// "setting.NAME" and "setting.NAME_hint", for a choice also "setting.NAME_CHOICE".
type Settings struct {
	MaskClients bool  // others' clients have no whole address for those who may only look
	UndoSeconds int64 // for how long what is sent by hand on the pages waits, and can be taken back
}

// SettingKind is how a setting is asked for.
type SettingKind string

// The kinds of settings.
const (
	SettingSwitch SettingKind = "switch" // "true" or "false"
	SettingChoice SettingKind = "choice" // one of several words
	SettingNumber SettingKind = "number" // a whole number from Min to Max
)

// SettingRow is one of the settings in the table.
type SettingRow struct {
	Name     string // in the database, the audit log, forms and the keys of its texts
	Kind     SettingKind
	Choices  []string // of a choice
	Min, Max int64    // of a number
	value    func(*Settings) any
}

// settingRows is the table of all of them, in the order in which they are shown. A
// value is a pointer to a field: *bool, *string or *int64, by the kind.
func settingRows() []SettingRow {
	return []SettingRow{
		{Name: "mask_clients", Kind: SettingSwitch, value: func(s *Settings) any { return &s.MaskClients }},
		{Name: "undo_seconds", Kind: SettingNumber, Max: maxUndoSeconds, value: func(s *Settings) any { return &s.UndoSeconds }},
	}
}

// defaultSettings are those that hold until somebody sets them.
func defaultSettings() Settings { return Settings{UndoSeconds: defaultUndoSeconds} }

// Settings returns those that hold now. They are kept in memory; see LookAtSettings.
func (a *App) Settings() Settings { return *a.settings.Load() }

// LookAtSettings has this process go by what is stored now. Every process does so when
// it starts and every few seconds; the one on which they are changed does at once.
func (a *App) LookAtSettings(ctx context.Context) error {
	stored, err := a.store.Settings(ctx)
	if err != nil {
		return err
	}
	s := defaultSettings()
	for _, row := range settingRows() {
		if text, ok := stored[row.Name]; ok {
			_ = row.set(&s, text) // what an older or newer version has stored, and this one does not know, is left out
		}
	}
	a.settings.Store(&s)
	return nil
}

// SettingValue is a setting with its value, as a form shows it.
type SettingValue struct {
	SettingRow
	Value string
}

// SettingValues lists all settings for who may change them.
func (a *App) SettingValues(actor mailing.Account) ([]SettingValue, error) {
	if err := mayManageService(actor); err != nil {
		return nil, err
	}
	s := a.Settings()
	var values []SettingValue
	for _, row := range settingRows() {
		values = append(values, SettingValue{row, row.text(&s)})
	}
	return values, nil
}

// ChangeSettings stores those of the values, by name, that differ from what holds; the
// others stay. On other nodes they count within seconds. The error is Problems.
func (a *App) ChangeSettings(ctx context.Context, actor mailing.Account, values map[string]string) error {
	if err := mayManageService(actor); err != nil {
		return err
	}
	if err := a.LookAtSettings(ctx); err != nil { // another node may have changed some just now
		return err
	}
	s := a.Settings()
	changed, before, after := map[string]string{}, mailing.Facts{}, mailing.Facts{}
	var problems mailing.Problems
	for _, row := range settingRows() {
		text, given := values[row.Name]
		was := row.text(&s)
		if !given || text == was {
			continue
		}
		if err := problems.AddError(row.Name, row.set(&s, text)); err != nil {
			return err
		}
		changed[row.Name], before[row.Name], after[row.Name] = text, was, text
	}
	if err := problems.Err(); err != nil || len(changed) == 0 {
		return err
	}
	deed := mailing.Deed{Action: "settings.change", Thing: mailing.Thing{Kind: mailing.ThingService}, Before: before, After: after}
	if err := a.store.PutSettings(a.doing(ctx, actor, deed), changed); err != nil {
		return err
	}
	return a.LookAtSettings(ctx)
}

func (row SettingRow) text(s *Settings) string {
	switch v := row.value(s).(type) {
	case *bool:
		return strconv.FormatBool(*v)
	case *int64:
		return strconv.FormatInt(*v, 10)
	case *string:
		return *v
	}
	panic("app: the setting " + row.Name + " is of no kind")
}

// set takes over a value, unless it is none; that error is a *mailing.Error.
func (row SettingRow) set(s *Settings, text string) error {
	switch v := row.value(s).(type) {
	case *bool:
		if text != "true" && text != "false" {
			return mailing.Fault(mailing.Invalid, "choice_unknown")
		}
		*v = text == "true"
	case *int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < row.Min || n > row.Max {
			return mailing.Fault(mailing.Invalid, "number_out_of_range", "min", row.Min, "max", row.Max)
		}
		*v = n
	case *string:
		if !slices.Contains(row.Choices, text) {
			return mailing.Fault(mailing.Invalid, "choice_unknown")
		}
		*v = text
	}
	return nil
}

// GivenSetting is one that the service was started with, secrets masked.
type GivenSetting struct {
	Name    string // in the environment
	Flag    string // without the dashes; empty when there is none
	Value   string
	Default string
	Unit    string // what the value is counted in, or its form; in English
	Source  string // "default", "env" or "flag"
	Meaning string // in English
}

// GivenSettings lists what this process was started with, for who may see it.
func (a *App) GivenSettings(actor mailing.Account) ([]GivenSetting, error) {
	if err := mayManageService(actor); err != nil {
		return nil, err
	}
	return a.Given, nil
}

func mayManageService(actor mailing.Account) error {
	if actor.Role.May(mailing.ManageService) {
		return nil
	}
	return mailing.Fault(mailing.NotFound, "not_found")
}
