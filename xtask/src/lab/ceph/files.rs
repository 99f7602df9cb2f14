//! What each host's disk holds for Ceph: its configuration, its keys, and libvirt's key.
//!
//! The keys are the same in every lab: it keeps no secrets.

use super::super::host::{Host, Network};
use super::super::identity::coordinators;
use super::super::template::fill;
use super::{FSID, osd};

/// The libvirt secret that opens the storage to VMs: the key of the client `libvirt`.
pub(crate) const SECRET: &str = "3e7a9c52-5d1f-4c8b-9b61-0f2d6a7c4e18";

const ADMIN_KEY: &str = "AQAAAAAAAAAAABAAYqRv1kIq5p97cdxRBaYmqg==";
/// What `ceph-volume` makes the keys of new OSDs by.
const BOOTSTRAP_KEY: &str = "AQAAAAAAAAAAABAAW0cyxjTWMZFO5VQmcUgq8Q==";
const LIBVIRT_KEY: &str = "AQAAAAAAAAAAABAAIzObesbHGYs5fgRmtli0Iw==";
const MGR_KEY: &str = "AQAAAAAAAAAAABAAg3Yn2F/M4csrjbEGMYY17Q==";
const OSD_KEY: &str = "AQAAAAAAAAAAABAAP1h79wuRmaESrcScH9sxzQ==";

/// How much an OSD holds. Only what is written takes room on the machine.
const OSD_BYTES: u64 = 8 << 30;

/// A host's files for Ceph, with paths relative to its root.
pub(crate) fn files(host: Host, hosts: &[Host]) -> Vec<(String, String)> {
    let monitors = coordinators(hosts);
    let mut files = vec![
        ("etc/ceph/ceph.conf".to_owned(), configuration(monitors)),
        (
            "etc/ceph/ceph.client.admin.keyring".to_owned(),
            format!("[client.admin]\n\tkey = {ADMIN_KEY}\n"),
        ),
        (
            format!("var/lib/ceph/osd/ceph-{}/keyring", osd(host)),
            format!("[osd.{}]\n\tkey = {OSD_KEY}\n", osd(host)),
        ),
        (
            format!("etc/libvirt/secrets/{SECRET}.xml"),
            fill(include_str!("../../../lab/ceph/secret.xml"), &[("secret", SECRET)]),
        ),
        (
            "var/lib/ceph/bootstrap-osd/ceph.keyring".to_owned(),
            format!("[client.bootstrap-osd]\n\tkey = {BOOTSTRAP_KEY}\n"),
        ),
        (format!("etc/libvirt/secrets/{SECRET}.base64"), LIBVIRT_KEY.to_owned()),
    ];
    if monitors.contains(&host) {
        files.push(("etc/pvc-lab/ceph/keyring".to_owned(), all_keys(hosts)));
        files.push((
            format!("var/lib/ceph/mgr/ceph-{host}/keyring"),
            format!("[mgr.{host}]\n\tkey = {MGR_KEY}\n"),
        ));
    }
    files
}

/// A monitor's addresses, one for each version of the protocol.
pub(super) fn monitor_addresses(host: Host) -> String {
    let address = Network::Storage.of(host);
    format!("[v2:{address}:3300,v1:{address}:6789]")
}

fn configuration(monitors: &[Host]) -> String {
    let names: Vec<String> = monitors.iter().map(Host::to_string).collect();
    let addresses: Vec<String> = monitors.iter().map(|host| monitor_addresses(*host)).collect();
    let values = [
        ("fsid", FSID),
        ("monitors", &names.join(",")),
        ("mon_host", &addresses.join(",")),
        ("osd_bytes", &OSD_BYTES.to_string()),
    ];
    fill(include_str!("../../../lab/ceph/ceph.conf"), &values)
}

/// The keys that the monitors know from the beginning.
fn all_keys(hosts: &[Host]) -> String {
    let values =
        [("admin_key", ADMIN_KEY), ("bootstrap_key", BOOTSTRAP_KEY), ("libvirt_key", LIBVIRT_KEY)];
    let mut keys = fill(include_str!("../../../lab/ceph/keyring"), &values);
    for host in coordinators(hosts) {
        keys += &format!(
            "[mgr.{host}]\n\tkey = {MGR_KEY}\n\tcaps mon = \"allow profile mgr\"\n\t\
             caps osd = \"allow *\"\n\tcaps mds = \"allow *\"\n"
        );
    }
    for host in hosts {
        keys += &format!(
            "[osd.{}]\n\tkey = {OSD_KEY}\n\tcaps mon = \"allow profile osd\"\n\t\
             caps mgr = \"allow profile osd\"\n\tcaps osd = \"allow *\"\n",
            osd(*host)
        );
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(files: &[(String, String)], path: &str) -> Option<String> {
        files.iter().find(|(name, _)| name == path).map(|(_, text)| text.clone())
    }

    #[test]
    fn every_host_has_an_osd_but_only_coordinators_have_monitors() {
        let hosts = Host::first(5);
        let last = files(hosts[4], &hosts);
        assert!(text(&last, "var/lib/ceph/osd/ceph-4/keyring").is_some());
        assert!(text(&last, "etc/pvc-lab/ceph/keyring").is_none());
        let conf = text(&last, "etc/ceph/ceph.conf").unwrap();
        assert!(conf.contains("mon_initial_members = hv1,hv2,hv3\n"), "{conf}");
        assert!(conf.contains(",[v2:10.254.0.3:3300,v1:10.254.0.3:6789]\n"), "{conf}");
        assert!(!conf.contains("{{"), "{conf}");
    }

    #[test]
    fn the_monitors_know_every_daemons_key() {
        let hosts = Host::first(3);
        let keys = text(&files(hosts[0], &hosts), "etc/pvc-lab/ceph/keyring").unwrap();
        for daemon in ["[mon.]", "[mgr.hv3]", "[osd.0]", "[osd.2]", "[client.bootstrap-osd]"] {
            assert!(keys.contains(daemon), "{daemon}: {keys}");
        }
    }
}
