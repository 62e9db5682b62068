#!/bin/bash
# Looks for files that are not formatted, for suspicious code, and for generated
# files that do not fit what they are made from. It changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0

# complain tells what is wrong, and goes on to tell all of it at once.
complain() {
	echo "check: $*" >&2
	failed=1
}

unformatted=$(git ls-files --cached --others --exclude-standard '*.go' | grep -v -e '_templ\.go$' -e '^internal/store/sqlc/' |
	xargs -r ls -d 2>/dev/null | xargs -r bin/gofumpt -l)
[ -z "$unformatted" ] || complain "not formatted (bin/gofumpt -w):" $unformatted

go vet ./... || complain "go vet found something"
bin/staticcheck ./... || complain "staticcheck found something"

bin/sqlc diff -f internal/store/sqlc.yaml || complain "queries were changed: make generate"

# The pages are made anew beside the tree and compared.
anew=$(mktemp -d)
trap 'rm -rf "$anew"' EXIT
cp -r go.mod internal "$anew"
find "$anew/internal/web" -name '*_templ.go' -delete
(cd "$anew" && "$OLDPWD/bin/templ" generate -path internal/web -log-level error)
differing=$(diff -rq internal/web "$anew/internal/web" || true)
[ -z "$differing" ] || complain "pages were changed: make generate"$'\n'"$differing"

exit $failed
