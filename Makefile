# What can be done with the source of Vestnik. `make` alone lists it.

SHELL   := /bin/bash
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.DEFAULT_GOAL := help
.PHONY: help run build dev assets test screens large torture bench check generate clean

help: ## List what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

run: build ## Build everything and serve on http://127.0.0.1:8000, with examples, keeping all in ./data
	VESTNIK_SAMPLE_DATA=true ./bin/vestnik serve

build: assets ## Build bin/vestnik
	go build -ldflags "-X main.version=$(VERSION)" -o bin/vestnik ./cmd/vestnik

dev: bin/templ assets ## Make the pages anew and serve, telling everything
	bin/templ generate -path internal/web
	VESTNIK_SAMPLE_DATA=true VESTNIK_LOG_LEVEL=debug go run ./cmd/vestnik serve

assets: node_modules/.package-lock.json ## Bundle styles, scripts and icons
	go run ./build/assets

test: ## Run all tests, also on PostgreSQL and against real programs; installs what is missing on Debian, as root
	build/programs.sh
	$(MAKE) node_modules/axe-core/package.json assets
	VESTNIK_TEST_POSTGRES=1 VESTNIK_TEST_SYSTEM=1 go test -timeout 40m ./...

# PAGES='GET /runs' pictures only the routes that match.
screens: node_modules/axe-core/package.json assets ## Picture every page, in both languages and themes, wide and on a phone, into docs/screens
	VESTNIK_SCREENS=$(CURDIR)/docs/screens VESTNIK_PAGES='$(PAGES)' VESTNIK_TEST_SYSTEM=1 go test -count=1 -timeout 60m -run '^TestScreens$$' -v ./internal/web

large: node_modules/axe-core/package.json assets ## Measure the pages on a large base while a large mailing goes out; two minutes on a machine that does nothing else
	VESTNIK_TEST_LARGE=1 VESTNIK_TEST_SYSTEM=1 go test -count=1 -run '^TestALargeBase$$' -v ./internal/server

torture: ## Break everything for half an hour, see that nobody is lost, and write docs/reliability.md; the short form is in test
	build/programs.sh
	$(MAKE) assets
	build/torture.sh

bench: build ## Measure how fast this machine sends, against a bare sender; takes a quarter of an hour
	./bin/vestnik bench

check: bin/gofumpt bin/staticcheck bin/templ bin/sqlc ## Look for what is unformatted, suspicious or not generated anew
	build/check.sh

generate: bin/sqlc bin/templ assets ## Make the generated files anew: queries, pages, bundle
	bin/sqlc generate -f internal/store/sqlc.yaml
	bin/templ generate -path internal/web

clean: ## Remove what was built; data stays
	rm -rf bin node_modules
	find internal/web/assets/dist -type f ! -name .gitignore -delete

# npm writes this file last. What only tests need is left out, it is much.
node_modules/.package-lock.json: package.json package-lock.json
	npm ci --omit=dev --no-audit --no-fund
	@touch $@

# Everything. Where it is, what the pages are bundled from is, too.
node_modules/axe-core/package.json: package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@ node_modules/.package-lock.json

# The tools are a module of their own. sqlc takes five minutes to build, which is
# why nothing above needs it but generate and check.
bin/templ: PACKAGE := github.com/a-h/templ/cmd/templ
bin/sqlc: PACKAGE := github.com/sqlc-dev/sqlc/cmd/sqlc
bin/staticcheck: PACKAGE := honnef.co/go/tools/cmd/staticcheck
bin/gofumpt: PACKAGE := mvdan.cc/gofumpt

bin/templ bin/sqlc bin/staticcheck bin/gofumpt: tools/go.mod tools/go.sum
	go -C tools build -o ../$@ $(PACKAGE)
