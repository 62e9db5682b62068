#!/bin/bash
# Attacks the service with wapiti and sqlmap, signed in as a user, as a manager and as
# an admin, and keeps what they say in the folder that is given (default: attacked).
# As root on Debian; installs the two if they are missing. Everything runs in a network
# of its own, without any way out, on an installation that is thrown away. It takes
# hours. docs/security.md tells what came of it.
#
#   [DATABASE=postgres] build/attack.sh [FOLDER [user|manager|admin|sqlmap ...]]
#
# DATABASE=postgres takes a PostgreSQL of its own in place of SQLite.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${ALONE:-}" ]; then
	command -v wapiti >/dev/null && command -v sqlmap >/dev/null || apt-get install -y --no-install-recommends wapiti sqlmap
	go build -o bin/vestnik ./cmd/vestnik
	ALONE=1 exec unshare --net --fork --kill-child "$0" "$@"
fi
ip link set lo up

# Debian 12 has wapiti 3.0.4 with Python 3.11, which refuses one of its
# patterns. A copy without that fault goes first.
mended=$(mktemp -d)
trap 'rm -rf "$mended"' EXIT
cp -r /usr/lib/python3/dist-packages/wapitiCore "$mended/"
sed -i "s/res + r'\\\\Z(?ms)'/'(?ms)' + res + r'\\\\Z'/" "$mended/wapitiCore/net/crawler.py"
export PYTHONPATH=$mended

out=$(realpath -m "${1:-attacked}")
shift || true
mkdir -p "$out"
at=127.0.0.1:8099
base=http://$at
password="correct horse battery staple 7"
data= service=

# database starts a PostgreSQL that only this machine's own socket leads to.
database() {
	[ "${DATABASE:-sqlite}" = postgres ] || return 0
	local place=$data/postgres programs
	programs=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
	chmod 711 "$data"
	install -d -o postgres -g postgres -m 755 "$place"
	runuser -u postgres -- "$programs/initdb" -D "$place/cluster" -A trust -E UTF8 --no-sync >/dev/null
	runuser -u postgres -- "$programs/pg_ctl" -w -D "$place/cluster" -l "$place/log" -o "-k $place -h ''" start >/dev/null
	stop_database() { runuser -u postgres -- "$programs/pg_ctl" -w -m fast -D "$place/cluster" stop >/dev/null; }
	export DATABASE_URL="postgres://postgres@/postgres?host=$place"
}

stop_database() { :; }

# begin starts a service with sample data on a new installation and leaves the cookie
# of somebody with the role in $cookies.
begin() {
	local role=$1
	data=$(mktemp -d)
	export VESTNIK_DATA_DIR=$data VESTNIK_ADDR=$at VESTNIK_LOG_LEVEL=warn
	database
	VESTNIK_SAMPLE_DATA=true bin/vestnik serve 2>"$out/service-$role.log" &
	service=$!
	until curl -fs "$base/healthz" >/dev/null; do sleep 0.2; done
	bin/vestnik user create --email "$role@example.org" --first-name Eve --role "$role" --password "$password"
	printf 'email,name\na@example.net,Anna\nb@example.net,Boris\nbroken,Carl\n' >"$data/clients.csv"
	bin/vestnik contacts import --owner "$role@example.org" "$data/clients.csv" || [ $? = 6 ]
	echo 'Hello, {{ first_name }}' >"$data/body.md"
	local message
	message=$(bin/vestnik message create --json --owner "$role@example.org" --subject News --file "$data/body.md" | sed 's/.*"id":\([0-9]*\).*/\1/')
	bin/vestnik mailing create --owner "$role@example.org" --message "$message" --at 09:30 --repeat monthly --day 31 >/dev/null
	cookies=$data/cookies
	curl -fs -c "$cookies" -o /dev/null -d "email=$role@example.org" --data-urlencode "password=$password" "$base/login"
	session=$(awk '$6 ~ /session/ { print $6 "=" $7 }' "$cookies")
	[ -n "$session" ]
}

end() {
	kill "$service"
	wait "$service" || true
	stop_database
	rm -rf "$data"
}

# scan lets wapiti follow every link and attack every form. Its modules ssrf, xxe and
# log4shell need a server on the internet; there is none here.
scan() {
	local role=$1
	begin "$role"
	printf '{"127.0.0.1": {"/": {"%s": {"value": "%s", "expires": null, "secure": false, "port": null, "version": 0}}}}' \
		"${session%%=*}" "${session#*=}" >"$data/wapiti.json"
	wapiti -u "$base/" --scope folder -c "$data/wapiti.json" --no-bugreport --flush-session --store-session "$data/session" \
		-m backup,blindsql,cookieflags,crlf,csp,csrf,exec,file,htaccess,http_headers,methods,permanentxss,redirect,shellshock,sql,xss \
		-x "$base/logout" -x "$base/preferences" --max-scan-time "${SCAN_TIME:-900}" --max-attack-time "${ATTACK_TIME:-600}" \
		--max-links-per-page 60 --max-files-per-dir 60 -v 1 -f txt -o "$out/wapiti-$role.txt" >"$out/wapiti-$role.log" 2>&1 || true
	end
	echo "wapiti as $role: $out/wapiti-$role.txt"
}

# inject lets sqlmap try every parameter of the lists and of some forms, as an admin.
inject() {
	begin admin
	local each
	for each in '/clients?q=a&sort=email&page=1&status=mailable&scope=all' '/messages?q=a&sort=subject&page=1' \
		'/mailings?q=a&sort=created&page=1&status=created&scope=all' '/logs?q=a&status=failed&from=2026-01-01&to=2026-12-31&before=9&scope=all' \
		'/admin/users?q=a&sort=email&page=1&role=user&status=active' '/admin/mailings?q=a&sort=created&page=1&status=created&owner=1' \
		'/admin/audit?q=a&action=a&from=2026-01-01&to=2026-12-31&before=9' '/demo?q=a&page=1'; do
		attack "$each"
	done
	attack /login 'email=a@example.org&password=b'
	attack /reset 'email=a@example.org'
	attack /confirm_code/admin@example.org/ 'code=123456'
	attack /clients/new 'email=c@example.net&first_name=a&last_name=b&comment=c'
	attack /clients/delete 'id=1'
	attack /messages/preview 'subject=a&body=b&format=markdown&contact=1'
	end
	echo "sqlmap: $out/sqlmap.log"
}

attack() {
	local form=() dbms=SQLite status
	[ $# = 1 ] || form=(--data "$2")
	[ "${DATABASE:-sqlite}" != postgres ] || dbms=PostgreSQL
	status=$(curl -s -o /dev/null -w '%{http_code}' -b "$cookies" "${form[@]}" "$base$1")
	if [ "$status" = 404 ] || [ "$status" -ge 500 ]; then
		echo "$1 answers $status: there is nothing to attack" >&2
		exit 1
	fi
	sqlmap -u "$base$1" "${form[@]}" --cookie "$session" --batch --level 2 --risk 2 --dbms "$dbms" --technique BEUST --threads 1 \
		--disable-coloring --flush-session --output-dir "$data/sqlmap" --ignore-code 401,403,404,422,429 >>"$out/sqlmap.log" 2>&1 || true
}

[ $# -gt 0 ] || set -- user manager admin sqlmap
for what in "$@"; do
	if [ "$what" = sqlmap ]; then inject; else scan "$what"; fi
done
