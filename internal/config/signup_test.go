package config

import (
	"fmt"
	"slices"
	"testing"
)

func TestSignup(t *testing.T) {
	for _, c := range []struct{ env, want string }{
		{"", "open []"},
		{"VESTNIK_PUBLIC_SIGNUP=false", "closed []"},
		{"VESTNIK_SIGNUP=invitation", "invitation []"},
		{"VESTNIK_SIGNUP=closed", "closed []"},
		{"VESTNIK_SIGNUP=Example.org, почта.рф,@example.org", "domains [example.org xn--80a1acny.xn--p1ai]"},
		{"VESTNIK_SIGNUP=xn--80a1acny.xn--p1ai", "domains [xn--80a1acny.xn--p1ai]"},
	} {
		t.Run("«"+c.env+"» is "+c.want, func(t *testing.T) {
			got := load(t, nil, c.env).Signup
			if text := fmt.Sprint(got.Way, " ", got.Domains); text != c.want {
				t.Errorf("it is %s", text)
			}
		})
	}
	t.Run("it wins over the older setting", func(t *testing.T) {
		if got := load(t, map[string]string{"public-signup": "false"}, "VESTNIK_SIGNUP=open").Signup; got.Way != "open" {
			t.Errorf("it is %v", got)
		}
	})
	for _, bad := range []string{"opened", "example", "*.example.org", "a@example.org", "example.org,,", "exa mple.org", "."} {
		t.Run(bad+" is refused", func(t *testing.T) {
			if _, err := Load([]string{"VESTNIK_SIGNUP=" + bad}, nil); err == nil {
				t.Error("it is taken")
			}
		})
	}
	t.Run("the flag needs a value", func(t *testing.T) {
		flags, _, err := TakeFlags([]string{"serve", "--signup", "invitation"})
		if err != nil || flags["signup"] != "invitation" || !slices.Contains(FlagNames(), "signup") {
			t.Errorf("got %v, %v", flags, err)
		}
	})
}
