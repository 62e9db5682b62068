package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestCalm(t *testing.T) {
	t.Run("what a stop has cut off is no error, all else stays what it is", func(t *testing.T) {
		var text bytes.Buffer
		log := slog.New(calm{slog.NewTextHandler(&text, nil)}).With("queue", "default")
		log.Error("cut off", "err", fmt.Errorf("notify: %w", context.Canceled).Error())
		log.Error("cut off", "err", fmt.Errorf("notify: %w", context.Canceled))
		log.Error("broken", "err", errors.New("no such table"))
		if got := text.String(); strings.Contains(got, "cut off") || !strings.Contains(got, "level=ERROR msg=broken queue=default") {
			t.Errorf("the log is %q", got)
		}
	})
}
