#!/usr/bin/env bash
# Installs the servers that the tests start for themselves: RabbitMQ, Redis, OpenSSH, Chromium.
# The packages must not start anything: a service that already runs here is left as it is.
set -euo pipefail
declare -A wanted=(
    [rabbitmq-server]=/usr/sbin/rabbitmq-server
    [redis-server]=/usr/bin/redis-server
    [openssh-server]=/usr/sbin/sshd
    [chromium]=/usr/bin/chromium
)
missing=()
for package in "${!wanted[@]}"; do [ -x "${wanted[$package]}" ] || missing+=("$package"); done
[ ${#missing[@]} -eq 0 ] && exit 0

command -v apt-get >/dev/null || {
    echo "servers: no apt-get here; install these yourself: ${missing[*]}" >&2
    exit 1
}
sudo=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "servers: root or sudo is needed for: ${missing[*]}" >&2; exit 1; }
    sudo=(sudo)
fi
# policy-rc.d answers 101, "do not start", to every package while it is there.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
    "${sudo[@]}" chmod +x "$policy"
    trap '"${sudo[@]}" rm -f "$policy"' EXIT
fi
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
