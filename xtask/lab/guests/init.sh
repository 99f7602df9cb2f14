#!/bin/busybox sh
# The guest `linux`: prints its uptime and the hardware clock's second four times a second on the
# console, and powers off when the power button is pressed. With the word `net` on the kernel's command
# line it tells about its network besides.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for module in /modules/*.ko; do insmod "$module"; done
! grep -qw net /proc/cmdline || sh /net.sh &

for name in /sys/class/input/event*/device/name; do
    read -r label <"$name"
    if [ "$label" = "Power Button" ]; then
        event=${name%/device/name}
        ( dd if="/dev/input/${event##*/}" of=/dev/null bs=24 count=1 2>/dev/null; poweroff -f ) &
    fi
done

while :; do
    read -r uptime _ </proc/uptime
    read -r second </sys/class/rtc/rtc0/since_epoch
    echo "clock $uptime rtc $second"
    sleep 0.25
done
