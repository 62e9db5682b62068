package main

import (
	"context"
	"errors"

	"vestnik/internal/app"
)

// relayAddCommand adds a way out. The flag of its connections is not called
// --connections, which is a setting and may stand at every command.
type relayAddCommand struct {
	Name string `arg:""`
	MX   bool   `name:"mx"`

	Host          string `placeholder:"smtp.example.org"`
	Port          int    `placeholder:"587"`
	TLS           string `name:"tls" enum:"none,starttls,starttls-required,implicit,${nothing}" default:""`
	Username      string
	SMTPPassword  string `name:"smtp-password" xor:"password"`
	PasswordStdin bool   `xor:"password"`

	FromEmail string `required:"" placeholder:"EMAIL"`
	FromName  string
	HeloName  string `placeholder:"mail.example.org"`

	Weight         int `default:"10" placeholder:"1-100"`
	MaxConnections int `placeholder:"N"`
	Messages       int `placeholder:"N"`
	PerSecond      int `placeholder:"N"`
	PerHour        int `placeholder:"N"`
	PerDay         int `placeholder:"N"`

	Off  bool
	JSON bool `name:"json"`
}

// AfterApply refuses flags that would be ignored, since who gives one expects it
// to count.
func (c *relayAddCommand) AfterApply() error {
	for _, of := range []struct {
		flag  string
		given bool
	}{
		{"--host", c.Host != ""}, {"--port", c.Port != 0}, {"--tls", c.TLS != ""}, {"--username", c.Username != ""},
	} {
		if c.MX && of.given {
			return errors.New("only one of --mx and " + of.flag + " can be given")
		}
	}
	return firstError(
		needs("--smtp-password", c.SMTPPassword != "", "--username", c.Username != ""),
		needs("--password-stdin", c.PasswordStdin, "--username", c.Username != ""),
	)
}

func (c relayAddCommand) Run(ctx context.Context, d *desk) error {
	settings, err := c.settings(d)
	if err != nil {
		return err
	}
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	id, err := b.App.CreateRelay(ctx, app.Operator, settings)
	if err != nil {
		return err
	}
	relay, err := b.App.Relay(ctx, app.Operator, id)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return d.json(relayOf(relay))
	case c.Off:
		d.say("cli.relay.added_off", "name", relay.Name)
	default:
		d.say("cli.relay.added", "name", relay.Name)
	}
	return nil
}

// settings are what was given, with the rest as the standards counsel.
func (c relayAddCommand) settings(d *desk) (app.RelaySettings, error) {
	s := app.RelaySettings{
		Kind: app.RelaySMTP, Name: c.Name, Host: c.Host, Port: c.Port, TLS: c.TLS, Username: c.Username, Password: c.SMTPPassword,
		FromName: c.FromName, FromEmail: c.FromEmail, HeloName: c.HeloName, Weight: c.Weight,
		Connections: c.MaxConnections, Messages: c.Messages, PerSecond: c.PerSecond, PerHour: c.PerHour, PerDay: c.PerDay,
		Enabled: !c.Off,
	}
	if c.MX {
		s.Kind = app.RelayMX
		return s, nil
	}
	if s.TLS == "" {
		s.TLS = c.usualTLS()
	}
	if s.Port == 0 {
		s.Port = c.usualPort(s.TLS)
	}
	if !c.PasswordStdin {
		return s, nil
	}
	password, err := d.passwordLine()
	s.Password = password
	return s, err
}

// The ports of submission: with TLS from the start (RFC 8314, section 3.3), and
// else (RFC 6409, section 3.1); and of relaying (RFC 5321, section 4.5.4.2).
const (
	portTLS        = 465
	portSubmission = 587
	portRelaying   = 25
)

func (c relayAddCommand) usualTLS() string {
	switch {
	case c.Port == portTLS:
		return "implicit"
	case c.Username != "":
		return "starttls-required"
	}
	return "starttls"
}

func (c relayAddCommand) usualPort(tls string) int {
	switch {
	case tls == "implicit":
		return portTLS
	case c.Username != "":
		return portSubmission
	}
	return portRelaying
}
