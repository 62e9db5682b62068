// Package mailing is the vocabulary of Vestnik and its pure rules: what a
// mailing, a schedule, a run, a delivery and an attempt are, which state may
// follow which, who may do what, and what can go wrong. It touches no
// database, no network and no clock: every decision takes the time it is
// made at.
package mailing
