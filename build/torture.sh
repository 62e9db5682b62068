#!/bin/bash
# Runs the long form of the tests that break things, and writes what they found into
# docs/reliability.md. Run as root, it fills small disks, too.
set -euo pipefail
cd "$(dirname "$0")/.."
result=$(mktemp)
trap 'rm -f "$result"' EXIT
export VESTNIK_TORTURE=1 VESTNIK_TORTURE_RESULT=$result VESTNIK_TEST_POSTGRES=1 VESTNIK_TEST_SYSTEM=1

# torture runs the tests of a package, so many at once. Nothing else runs meanwhile,
# since some of them have a limit of time, and those of server say how long things take.
torture() {
	go test -count=1 -timeout 2h -parallel "$3" -run "^($2)$" "./internal/$1"
}

failed=0
torture schedule 'TestClock' 8 || failed=1
torture deliver 'TestBrokenAtTheNthCall|TestEveryFaultOfTheServer|TestActsInMidRun' 8 || failed=1
torture server 'TestKillNeverTwice|TestKillNeverMissed|TestStop|TestDatabaseServerStops|TestDatabaseOutage|TestLockedDatabase|TestFullDisk|TestTakeOver|TestFrozenNode' 1 || failed=1

# What failed is not to be read in a table.
[ $failed = 0 ] && go run ./build/torture "$result" docs/reliability.md
exit $failed
