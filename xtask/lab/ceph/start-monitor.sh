# Makes this host's monitor and manager, unless they were made before, and starts them now and at
# every boot. Its arguments are those of `monmaptool` that name the cluster and its monitors.
set -e
id=$(hostname)
data=/var/lib/ceph/mon/ceph-$id
if [ ! -e "$data/made" ]; then
    rm -rf "$data"
    install --directory --owner=ceph --group=ceph "$data"
    monmaptool --create --clobber "$@" /run/monmap
    ceph-mon --mkfs --id "$id" --monmap /run/monmap --keyring /etc/pvc-lab/ceph/keyring \
        --setuser ceph --setgroup ceph
    chown -R ceph:ceph "/var/lib/ceph/mgr/ceph-$id"
    touch "$data/made"
fi
systemctl --quiet enable --now "ceph-mon@$id.service" "ceph-mgr@$id.service"
