// Package ui is what all pages are built from: the frame around a page and the
// parts in it, as templ components. It knows no use cases and no database.
//
// Every component is plain HTML that works without a script and under
// ContentSecurityPolicy: no inline script, no inline style. Words that the
// components say themselves come from the i18n.Printer of the page; all other text
// is passed in, translated already.
//
// Class names are written out in full, never glued together: build/assets
// drops the style of every class whose name stands nowhere in the sources.
//
// Gallery shows all components on one page.
package ui
