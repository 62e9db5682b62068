// Package sqlc is the typed form of the statements in ../queries, made by
// "make generate". One text serves both databases.
package sqlc
