package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"vestnik/internal/mailing"
)

// cost is what one hash takes. A hash remembers the cost it was made with.
type cost struct {
	memoryKiB uint32
	passes    uint32
	lanes     uint8
}

// current is what a new hash costs: "Argon2id with a minimum configuration of
// 19 MiB of memory, an iteration count of 2, and 1 degree of parallelism"
// (OWASP Password Storage Cheat Sheet).
var current = cost{memoryKiB: 19 * 1024, passes: 2, lanes: 1}

// The most that a stored hash may ask for, so that a row somebody tampered
// with cannot exhaust the memory. Chosen: several times what is current.
const (
	mostMemoryKiB = 256 * 1024
	mostPasses    = 16
	mostLanes     = 16
)

const (
	saltSize = 16 // bytes (RFC 9106, section 3.1)
	hashSize = 32 // bytes; 256 bits (RFC 9106, section 4)
)

// HashesAtOnce is how many hashes are computed at the same time: with 19 MiB
// each, four take 76 MiB, which the smallest rented machine has to spare.
const HashesAtOnce = 4

var errMalformedHash = errors.New("auth: stored password hash is malformed")

// HashesWaiting is how many may wait for their turn: what four at a time get done in one
// or two seconds. Who comes then is told so at once, so that a flood piles up nowhere.
const HashesWaiting = 64

// ErrBusy says that too many wait already.
var ErrBusy = mailing.Fault(mailing.Limited, "busy")

// Hasher hashes and verifies passwords with Argon2id, a few at a time. It is
// safe for concurrent use.
type Hasher struct {
	slots chan struct{}
	queue chan struct{} // of those who have a slot or wait for one
}

// NewHasher makes a Hasher that computes at most atOnce hashes at a time, at
// least one; HashesWaiting others wait.
func NewHasher(atOnce int) *Hasher {
	atOnce = max(atOnce, 1)
	return &Hasher{slots: make(chan struct{}, atOnce), queue: make(chan struct{}, atOnce+HashesWaiting)}
}

// Hash returns the hash of password in the PHC string format:
// "$argon2id$v=19$m=19456,t=2,p=1$salt$hash". The error is that of ctx, when
// it ends before a slot is free, or ErrBusy.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails (documented since Go 1.24)
	sum, err := h.compute(ctx, password, salt, current, hashSize)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		current.memoryKiB, current.passes, current.lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum)), nil
}

// Verify reports whether stored is the hash of password, in a time that tells
// nothing about where they differ. A malformed hash is an error, as is the end
// of ctx before a slot is free.
func (h *Hasher) Verify(ctx context.Context, password, stored string) (bool, error) {
	parsed, err := parseHash(stored)
	if err != nil {
		return false, err
	}
	sum, err := h.compute(ctx, password, parsed.salt, parsed.cost, uint32(len(parsed.sum)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(sum, parsed.sum) == 1, nil
}

// VerifyNothing takes as long as Verify. A sign-in calls it for an account
// that does not exist, so that the time does not tell which ones do.
func (h *Hasher) VerifyNothing(ctx context.Context, password string) error {
	_, err := h.compute(ctx, password, make([]byte, saltSize), current, hashSize)
	return err
}

// NeedsRehash reports whether stored was made at another cost than a new hash
// would be. The time to make it anew is right after Verify said yes.
func NeedsRehash(stored string) bool {
	parsed, err := parseHash(stored)
	return err != nil || parsed.cost != current || len(parsed.sum) != hashSize
}

// compute waits for a slot. Two ways of typing the same letter count as one
// (NFC, as the OpaqueString profile of RFC 8265, section 4.2, asks).
func (h *Hasher) compute(ctx context.Context, password string, salt []byte, c cost, size uint32) ([]byte, error) {
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return nil, ErrBusy
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("auth: wait to hash a password: %w", ctx.Err())
	}
	normal := norm.NFC.String(password)
	return argon2.IDKey([]byte(normal), salt, c.passes, c.memoryKiB, c.lanes, size), nil
}

type parsedHash struct {
	cost cost
	salt []byte
	sum  []byte
}

func parseHash(stored string) (parsedHash, error) {
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return parsedHash{}, errMalformedHash
	}
	c, err := parseCost(parts[3])
	if err != nil {
		return parsedHash{}, err
	}
	salt, saltErr := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	sum, sumErr := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	// 8 bytes of salt and 4 of hash are the least there is (RFC 9106, 3.1);
	// 16 of hash is the least that we trust.
	if errors.Join(saltErr, sumErr) != nil || len(salt) < 8 || len(salt) > 64 || len(sum) < 16 || len(sum) > 64 {
		return parsedHash{}, errMalformedHash
	}
	return parsedHash{cost: c, salt: salt, sum: sum}, nil
}

func parseCost(text string) (cost, error) {
	var c cost
	n, err := fmt.Sscanf(text, "m=%d,t=%d,p=%d", &c.memoryKiB, &c.passes, &c.lanes)
	if err != nil || n != 3 || text != fmt.Sprintf("m=%d,t=%d,p=%d", c.memoryKiB, c.passes, c.lanes) {
		return cost{}, errMalformedHash
	}
	if c.memoryKiB < 8*uint32(c.lanes) || c.memoryKiB > mostMemoryKiB ||
		c.passes < 1 || c.passes > mostPasses || c.lanes < 1 || c.lanes > mostLanes {
		return cost{}, errMalformedHash
	}
	return c, nil
}
