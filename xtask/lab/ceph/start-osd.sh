# Makes this host's OSD, unless it was made before, and starts it now and at every boot. Its
# arguments are the OSD's number and identity.
set -e
data=/var/lib/ceph/osd/ceph-$1
if [ ! -e "$data/made" ]; then
    chown -R ceph:ceph "$data"
    ceph-osd --mkfs --id "$1" --osd-uuid "$2" --setuser ceph --setgroup ceph
    touch "$data/made"
fi
systemctl --quiet enable --now "ceph-osd@$1.service"
