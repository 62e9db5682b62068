package main

import (
	"vestnik/internal/config"
)

// configCommand prints the settings in force, without secrets.
type configCommand struct {
	JSON bool `name:"json"`
}

type settingJSON struct {
	Name    string `json:"name"`
	Flag    string `json:"flag"`
	Value   string `json:"value"`
	Default string `json:"default"`
	Unit    string `json:"unit"`
	Source  string `json:"source"`
	Meaning string `json:"meaning"`
}

func (c configCommand) Run(d *desk) error {
	settings := d.config.Explain()
	if c.JSON {
		rows := make([]settingJSON, len(settings))
		for i, s := range settings {
			rows[i] = settingJSON{
				Name: s.Name, Flag: s.Flag, Value: s.Value, Default: s.Default, Unit: s.Unit,
				Source: string(s.Source), Meaning: s.Meaning,
			}
		}
		return d.json(rows)
	}
	rows := [][]string{d.headings("setting", "value", "default", "unit", "source", "meaning")}
	for _, s := range settings {
		rows = append(rows, []string{s.Name, s.Value, s.Default, s.Unit, d.source(s.Source), s.Meaning})
	}
	return d.table(rows)
}

func (d *desk) source(s config.Source) string { return d.words.T("cli.source." + string(s)) }
