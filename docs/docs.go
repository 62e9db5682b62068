// Package docs holds the documents of the project, embedded into the program, which
// shows them on its pages.
package docs

import "embed"

// Files are NAME.md in English and, where somebody has written it, NAME.ru.md in Russian.
//
//go:embed *.md
var Files embed.FS
