// Package mx finds the mail servers of a recipient's domain and opens sessions
// with them: the way out that needs no relay.
package mx
