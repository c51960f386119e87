#!/bin/sh
# Whether this pod has a connection to the broker: the kernel's own table has one, established (01), to the port of one of
# the nodes that RABBITMQ_URL names, parted by semicolons; without a port that is 5672, or 5671 over TLS.
set -euf

wanted=
IFS=';'
for node in ${RABBITMQ_URL:?}; do
    port=5672
    case $node in amqps:*) port=5671 ;; esac
    address=${node#*://}
    address=${address%%/*}
    address=${address##*@}
    case $address in *:*[0-9]) port=${address##*:} ;; esac
    wanted="$wanted|:$(printf '%04X' "$port") 01 "
done
grep -Eqs "${wanted#|}" /proc/net/tcp /proc/net/tcp6
