package ui

import (
	"hash/fnv"
	"strings"
)

// Face is the round picture of a person: their avatar, or the initials of their name
// on a colour of their own.
type Face struct {
	Name  string
	Email string // picks the colour, and stands for a missing name
	Path  string // of the avatar; empty: none
	Large bool
}

// faceColours are classes, since pages may have no style of their own.
var faceColours = []string{"face face-1", "face face-2", "face face-3", "face face-4", "face face-5", "face face-6", "face face-7", "face face-8"}

func (f Face) class() string {
	sum := fnv.New32a()
	sum.Write([]byte(f.Email)) // never fails
	return faceColours[sum.Sum32()%uint32(len(faceColours))]
}

// initials are up to two letters.
func (f Face) initials() string {
	name := f.Name
	if name == "" {
		name = f.Email
	}
	letters := ""
	for i, word := range strings.Fields(name) {
		if i == 2 {
			break
		}
		letters += strings.ToUpper(string([]rune(word)[:1]))
	}
	return letters
}
