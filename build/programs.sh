#!/bin/bash
# Makes sure that the programs are there that the tests use. As root on Debian it
# installs what is missing and starts none of it; elsewhere it says what is
# missing and fails.
set -euo pipefail

# missing prints the Debian package of every program that is not there.
missing() {
	compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || echo postgresql
	have redis-server || echo redis-server
	have chromium || echo chromium
	have postfix && have smtp-sink || echo postfix
	have npm || echo npm
	# Direct sending is tested in network namespaces with a name server.
	have ip || echo iproute2
	have dnsmasq || echo dnsmasq-base
	# They verify our signatures. The python3 in the path may be another one.
	have opendkim || echo opendkim
	/usr/bin/python3 -c 'import dkim, nacl' 2>/dev/null || echo python3-dkim python3-nacl
	# Pages are drawn in a browser; without Cyrillic letters they would be boxes.
	have fc-list && [ -n "$(fc-list :lang=ru)" ] || echo fontconfig fonts-dejavu-core
}

# have looks where servers lie, too, which is not in everybody's path.
have() {
	PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null
}

# install installs Debian packages. policy-rc.d keeps them from starting servers
# (Debian Policy, section 9.3.3.1); one that is there already is left alone.
install() {
	export DEBIAN_FRONTEND=noninteractive
	local policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		trap "rm -f $policy" EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	echo "postfix postfix/main_mailer_type select Local only" | debconf-set-selections
	echo "postfix postfix/mailname string localhost" | debconf-set-selections
	apt-get -q -o DPkg::Lock::Timeout=300 update
	apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
}

if ! have go; then
	echo "Go is missing: see https://go.dev/dl/, version $(awk '$1 == "go" {print $2}' go.mod) or later." >&2
	exit 1
fi
packages=$(missing)
if [ -z "$packages" ]; then
	exit 0
fi
if [ "$(id -u)" != 0 ] || ! have apt-get; then
	echo "The tests need programs that are not here. On Debian, as root:" >&2
	echo "  apt-get install" $packages >&2
	exit 1
fi
install $packages
packages=$(missing)
if [ -n "$packages" ]; then
	echo "Still missing after the installation:" $packages >&2
	exit 1
fi
