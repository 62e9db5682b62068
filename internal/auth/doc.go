// Package auth holds the cryptography of accounts and links: password hashes
// and rules, random tokens, confirmation codes, codes of apps, passkeys, signed
// links, sealed secrets, and the keys they all are derived from. It stores
// nothing and decides nothing about who may do what.
package auth
