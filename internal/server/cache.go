package server

import (
	"context"
	"log/slog"
	"strconv"

	"vestnik/internal/app"
	"vestnik/internal/cache"
	"vestnik/internal/config"
	"vestnik/internal/deliver"
)

// openCache makes the cache that the settings want; nil: none. space keeps
// installations apart that share one Redis.
func openCache(c config.Config, space string, log *slog.Logger) (*cache.Cache, error) {
	if !c.CacheEnabled {
		return nil, nil
	}
	return cache.Open(cache.Options{Location: c.CacheLocation, Space: space, Log: log})
}

// slots lets all nodes take from one meter for each road.
func (b *Base) slots(ctx context.Context, roadID int64, perSecond, most, nodes int) (deliver.Slots, bool) {
	t, shared := b.Cache.Slots(ctx, strconv.FormatInt(roadID, 10), perSecond, most, nodes)
	return deliver.Slots(t), shared
}

// cacheVitals are how the cache of this node is doing, and Redis.
func (b *Base) cacheVitals(context.Context) []app.Vital {
	v := app.Vital{Part: "cache", Condition: app.Good}
	if b.Cache == nil {
		v.Says = "off"
		return []app.Vital{v}
	}
	s := b.Cache.Stats()
	v.Name, v.Says, v.With = s.Address, string(s.State), map[string]any{
		"percent": int64(100*s.HitRate() + 0.5), "hits": s.Hits, "asked": s.Hits + s.Misses,
		"entries": int64(s.Entries), "size": app.Bytes(s.Bytes), "latency": s.Latency, "since": s.Since,
	}
	if s.State == cache.Away {
		v.Condition = app.Attention
	}
	return []app.Vital{v}
}
