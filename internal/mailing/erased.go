package mailing

import "strings"

// erasedDomain stands in the address of somebody who was erased. Nothing can be sent
// there (RFC 2606, section 2).
const erasedDomain = "@erased.invalid"

// Pseudonym is what stands in place of an erased address, by its keyed hash.
func Pseudonym(hash string) string { return hash + erasedDomain }

// IsErased reports whether an address is a pseudonym.
func IsErased(email string) bool { return strings.HasSuffix(email, erasedDomain) }
