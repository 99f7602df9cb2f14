#!/bin/busybox sh
# What the guest `linux` does in a network, when its kernel's command line says `net`: has its
# addresses given to it, and tells about once a second what it can reach:
#
#   net UPTIME addr=A addr6=A meta=NAME peer=REACHED name=A outside=REACHED closed=REACHED
#
# Of the kernel's command line it reads `name=` (its own), `peer=` (a name), `aggregator=` (a name
# server that knows it as well), `outside=` (an address) and `closed=` (another). What the cluster's metadata
# calls it is `meta`.
export PATH=/bin
for word in $(cat /proc/cmdline); do
    case $word in name=*|peer=*|aggregator=*|outside=*|closed=*) export "$word";; esac
done

reached() { if [ -n "$1" ] && ping -c 1 -w 1 "$1" >/dev/null 2>&1; then echo yes; else echo no; fi }
# The first address of a device that leads beyond its own wire.
address() { ip "$1" addr show dev eth0 scope global | sed -n 's/.*inet6\? \([0-9a-f.:]*\).*/\1/p' | head -n 1; }
# What a name server says of a name, without what it says of itself.
named() { timeout 2 nslookup "$1" "$2" 2>/dev/null | sed -n '3,$ s/^Address[ 0-9]*: *\([0-9.]*\)$/\1/p' | head -n 1; }

metadata() { timeout 2 wget -q -O - http://169.254.169.254/latest/meta-data/name 2>/dev/null; }

ip link set lo up
ip link set eth0 up
udhcpc -i eth0 -s /lease.sh -x "hostname:$name" -t 5 -T 1 -A 1 &

while :; do
    read -r uptime _ </proc/uptime
    echo "net $uptime addr=$(address -4) addr6=$(address -6) meta=$(metadata) peer=$(reached "$peer")" \
        "name=$(named "$peer" "$aggregator") outside=$(reached "$outside") closed=$(reached "$closed")"
    sleep 0.5
done
