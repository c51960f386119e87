#!/bin/sh
# Whether this pod has a connection to the broker: the kernel's own table has one to that port, established (01).
#
#     connected.sh [port]
set -eu

grep -Eqs ":$(printf '%04X' "${1:-5672}") 01 " /proc/net/tcp /proc/net/tcp6
