package server

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/transport/domaincheck"
	"vestnik/internal/transport/mx"
)

// How long a check of a domain may take: for one answer of a name server, and in all. Chosen:
// a person waits for it.
const (
	domainAnswer = 2 * time.Second
	domainTime   = 15 * time.Second
)

// checkDomain asks the name servers of this machine.
func checkDomain(ctx context.Context, q mailing.DomainQuestion) []mailing.Finding {
	ctx, cancel := context.WithTimeout(ctx, domainTime)
	defer cancel()
	return domaincheck.Check(ctx, mx.NewResolver(mx.Options{NameServerTimeout: domainAnswer}), q)
}
