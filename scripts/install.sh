#!/bin/sh
# Install Debian packages, as root: `sh scripts/install.sh rabbitmq-server`.
# No service that comes with them is started, or left enabled; those that were there before are not touched.
set -eu

policy=/usr/sbin/policy-rc.d
kept=$policy.before-blend-pos
work=$(mktemp -d)

restore() {
    rm -rf "$policy" "$work"
    if [ -e "$kept" ]; then mv "$kept" "$policy"; fi
}

installed() {
    dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p' | sort
}

trap restore EXIT
trap 'exit 130' INT TERM HUP
if [ -e "$policy" ] && [ ! -e "$kept" ]; then mv "$policy" "$kept"; fi
printf '#!/bin/sh\nexit 101\n' >"$policy" # "forbidden": what invoke-rc.d and deb-systemd-invoke ask before they start
chmod 755 "$policy"

installed >"$work/before"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
installed >"$work/after"

comm -13 "$work/before" "$work/after" | xargs -r dpkg -L | sort -u >"$work/files"
sed -n 's#^\(/usr\)\{0,1\}/lib/systemd/system/\([^/]*[^@]\.\(service\|socket\)\)$#\2#p' "$work/files" | while read -r unit; do
    if [ -d /run/systemd/system ]; then
        systemctl --quiet disable --now "$unit" || true
    elif command -v deb-systemd-helper >/dev/null; then
        DPKG_MAINTSCRIPT_PACKAGE=none deb-systemd-helper disable "$unit" >/dev/null # it insists on such a name
    fi
done
sed -n 's#^/etc/init\.d/\([^/]*\)$#\1#p' "$work/files" | while read -r script; do
    update-rc.d "$script" disable >/dev/null 2>&1 || true
done
