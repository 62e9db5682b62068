package cache

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// remote is what there is in Redis. Each method is one question and one answer, or two.
type remote struct {
	client  *redis.Client
	address string
	space   string // what all keys begin with
	node    string // this process, among those that are present
}

// answerWithin is how long Redis may take, with everything: it is asked in the middle
// of what somebody waits for, and what it saves is seldom more.
const answerWithin = 100 * time.Millisecond

// generationFor is how long the generation of a tag is remembered that nobody forgets.
// When Redis loses it earlier, nothing is wrong: the next one is another. Chosen.
const generationFor = 24 * time.Hour

// quiet keeps the client from writing to standard error; what it has to say comes
// back as errors.
var quiet = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

// Printf says nothing.
func (silence) Printf(context.Context, string, ...any) {}

func newRemote(location, space string) (*remote, error) {
	quiet()
	o, err := redis.ParseURL(location)
	if err != nil {
		return nil, errors.New("cache: the location of Redis cannot be read") // err may hold the password
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = answerWithin, answerWithin, answerWithin, answerWithin
	o.ContextTimeoutEnabled = true
	o.MaxRetries, o.DialerRetries = -1, 1 // the link decides what comes after a failure
	o.Protocol, o.DisableIdentity = 2, true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	sum := sha256.Sum256([]byte(space))
	return &remote{
		client: redis.NewClient(o), address: o.Addr, node: rand.Text(),
		space: "vestnik:" + hex.EncodeToString(sum[:6]) + ":",
	}, nil
}

func (r *remote) generationKey(tag string) string { return r.space + "generation:" + tag }

func (r *remote) valueKey(k Key) string { return r.space + "value:" + k.full() }

// look returns the generation of the tag and what is kept of that generation.
func (r *remote) look(ctx context.Context, k Key) (generation string, data []byte, ok bool, err error) {
	both, err := r.client.MGet(ctx, r.generationKey(k.Tag), r.valueKey(k)).Result()
	if err != nil {
		return "", nil, false, err
	}
	generation, ok = both[0].(string)
	if !ok {
		generation, err = r.begin(ctx, k.Tag)
		return generation, nil, false, err
	}
	value, _ := both[1].(string)
	of, data, ok := bytes.Cut([]byte(value), []byte{'\n'})
	if !ok || string(of) != generation {
		return generation, nil, false, nil
	}
	return generation, data, true, nil
}

// begin gives the tag a generation; of two nodes that do, both get the first one's.
func (r *remote) begin(ctx context.Context, tag string) (generation string, err error) {
	key, mine := r.generationKey(tag), rand.Text()
	err = r.client.SetArgs(ctx, key, mine, redis.SetArgs{Mode: "NX", TTL: generationFor}).Err()
	if !errors.Is(err, redis.Nil) {
		return mine, err
	}
	generation, err = r.client.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) { // it was forgotten at this moment; what is put with this one is never found
		return mine, nil
	}
	return generation, err
}

func (r *remote) put(ctx context.Context, k Key, generation string, data []byte, lifetime time.Duration) error {
	value := append(append(make([]byte, 0, len(generation)+1+len(data)), generation...), '\n')
	return r.client.Set(ctx, r.valueKey(k), append(value, data...), lifetime).Err()
}

func (r *remote) forget(ctx context.Context, tags []string) error {
	keys := make([]string, len(tags))
	for i, tag := range tags {
		keys[i] = r.generationKey(tag)
	}
	return r.client.Del(ctx, keys...).Err()
}

// presentFor is how long a node counts as present that says nothing: three of its
// words may be lost.
const presentFor = 3 * keepEvery

// present notes by Redis's own clock that this node is there.
var present = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 10 * ARGV[2])
redis.call('PEXPIRE', KEYS[1], 10 * ARGV[2])
return 1`)

// ping asks whether Redis answers, and tells it that this node is there, if it sends.
func (r *remote) ping(ctx context.Context, sends bool) error {
	if !sends {
		return r.client.Ping(ctx).Err()
	}
	return present.Run(ctx, r.client, []string{r.space + "nodes"}, r.node, presentFor.Milliseconds()).Err()
}

// leave says that this node sends no more.
func (r *remote) leave(ctx context.Context) error {
	return r.client.ZRem(ctx, r.space+"nodes", r.node).Err()
}

// take reserves the next slots of a meter, each as far from the one before as the limit
// says, by Redis's own clock. Slots that nobody took are not made up for. When fewer
// nodes are present than live, the absent ones send their share without asking, and
// that much less is there to be had.
var take = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local perSecond, most, live = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZADD', KEYS[2], math.floor(now / 1000), ARGV[4])
local there = redis.call('ZCOUNT', KEYS[2], math.floor(now / 1000) - ARGV[5], '+inf')
local every = 1000000 / (perSecond * math.min(1, there / live))
local first = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local free = first + most * every
redis.call('SET', KEYS[1], string.format('%.0f', free), 'PX', math.ceil((free - now) / 1000) + 1000)
return {math.floor(first - now), math.ceil(every)}`)

// take reserves so many slots and says in how long the first is and how far apart
// they are.
func (r *remote) take(ctx context.Context, meter string, perSecond, most, live int) (in, every time.Duration, err error) {
	keys := []string{r.space + "meter:" + meter, r.space + "nodes"}
	answer, err := take.Run(ctx, r.client, keys, perSecond, most, live, r.node, presentFor.Milliseconds()).Int64Slice()
	if err != nil {
		return 0, 0, err
	}
	if len(answer) != 2 {
		return 0, 0, fmt.Errorf("cache: take slots: %d values in the answer", len(answer))
	}
	return time.Duration(answer[0]) * time.Microsecond, time.Duration(answer[1]) * time.Microsecond, nil
}
