#!/bin/busybox sh
# What udhcpc does with a lease in the guest `linux`.
export PATH=/bin
case $1 in
    deconfig) ip -4 addr flush dev eth0 ;;
    bound|renew)
        ip addr replace "$ip/$mask" dev eth0
        [ -z "$router" ] || ip route replace default via "$router"
        {
            [ -z "$domain" ] || echo "search $domain"
            for server in $dns; do echo "nameserver $server"; done
        } >/etc/resolv.conf
        ;;
esac
