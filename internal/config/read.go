package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// prefix marks the environment variables that are ours alone: an unknown one
// with it is a slip of the pen and stops the start.
const prefix = "VESTNIK_"

// Problem is one setting that cannot be used.
type Problem struct {
	Name string // as the operator wrote it: VESTNIK_ADDR or --addr
	Why  string // the rest of the sentence
}

func (p Problem) String() string { return p.Name + " " + p.Why }

// Problems are all settings that cannot be used.
type Problems []Problem

func (p Problems) Error() string {
	sentences := make([]string, len(p))
	for i, problem := range p {
		sentences[i] = problem.String() + "."
	}
	return strings.Join(sentences, "\n")
}

// given is a value that somebody set.
type given struct {
	name   string // as the operator wrote it
	value  string
	source Source
}

// gather finds what is set, by the name in the environment, and complains of
// names that mean nothing.
func gather(env []string, flags map[string]string) (map[string]given, Problems) {
	found := map[string]given{}
	problems := gatherEnv(env, found)
	return found, append(problems, gatherFlags(flags, found)...)
}

func gatherEnv(env []string, found map[string]given) Problems {
	var problems Problems
	names := envNames()
	for _, line := range env {
		name, value, _ := strings.Cut(line, "=")
		known := slices.Contains(names, name)
		if !known && strings.HasPrefix(name, prefix) {
			problems = append(problems, unknown(name, names))
		}
		if known && value != "" {
			found[name] = given{name: name, value: value, source: FromEnv}
		}
	}
	return problems
}

func gatherFlags(flags map[string]string, found map[string]given) Problems {
	var problems Problems
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		s, known := settingOfFlag(name)
		if !known {
			problems = append(problems, unknown("--"+name, dashed(FlagNames())))
			continue
		}
		found[s.env] = given{name: "--" + name, value: flags[name], source: FromFlag}
	}
	return problems
}

// apply takes over a value, or the default when none was given.
func (s setting) apply(c *Config, g given) (*Problem, Row) {
	fallback := s.fallback(*c)
	if g.name == "" {
		g = given{name: s.env, value: fallback, source: FromDefault}
	}
	row := Row{
		Name: s.env, Flag: s.flag, Value: s.masked(g.value), Default: s.masked(fallback),
		Unit: s.unit, Source: g.source, Meaning: s.meaning,
	}
	if err := s.take(c, g.value); err != nil {
		why := err.Error()
		if s.mask == nil {
			why = fmt.Sprintf("is %q: it %s", g.value, why)
		}
		return &Problem{Name: g.name, Why: why}, row
	}
	return nil, row
}

// unknown complains of a name that means nothing and, where one is near,
// names the one that was probably meant.
func unknown(name string, names []string) Problem {
	nearest := slices.MinFunc(names, func(a, b string) int { return distance(name, a) - distance(name, b) })
	// Three slips at most: beyond that the guess misleads more than it helps.
	if distance(name, nearest) <= 3 {
		return Problem{Name: name, Why: "is not a setting; perhaps " + nearest + " was meant"}
	}
	return Problem{Name: name, Why: "is not a setting; `vestnik config` lists them all"}
}

// distance counts the letters to insert, delete or replace to make b of a
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
