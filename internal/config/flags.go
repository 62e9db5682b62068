package config

import "strings"

// FlagNames returns the names of the flags that set something, without the
// dashes, in the order of the table.
func FlagNames() []string {
	var names []string
	for _, s := range settings() {
		if s.flag != "" {
			names = append(names, s.flag)
		}
	}
	return names
}

// TakeFlags takes the flags that are settings out of a command line, written
// as --name=value or --name value; a switch may stand alone and is then true.
// The rest, in its order, is for the command. Nothing behind "--" is taken.
// The error is Problems: a flag whose value is missing.
func TakeFlags(args []string) (flags map[string]string, rest []string, err error) {
	flags = map[string]string{}
	var problems Problems
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			rest = append(rest, args[i:]...)
			break
		}
		text, dashes := strings.CutPrefix(args[i], "--")
		name, value, withValue := strings.Cut(text, "=")
		s, known := settingOfFlag(name)
		switch {
		case !dashes || !known:
			rest = append(rest, args[i])
		case withValue:
			flags[name] = value
		case s.isSwitch:
			flags[name] = "true"
		case i+1 < len(args) && !strings.HasPrefix(args[i+1], "--"):
			i++
			flags[name] = args[i]
		default:
			problems = append(problems, Problem{Name: "--" + name, Why: "must be followed by a value"})
		}
	}
	if len(problems) > 0 {
		return nil, nil, problems
	}
	return flags, rest, nil
}

func settingOfFlag(name string) (setting, bool) {
	for _, s := range settings() {
		if name != "" && s.flag == name {
			return s, true
		}
	}
	return setting{}, false
}

func envNames() []string {
	var names []string
	for _, s := range settings() {
		names = append(names, s.env)
	}
	return names
}

func dashed(names []string) []string {
	for i := range names {
		names[i] = "--" + names[i]
	}
	return names
}
