//! An interface on a device of its own, as VMs have of SR-IOV functions: here one end of a pair.

use std::process::Command;

use pvc_common::id::SriovName;
use pvc_domxml::{describe, edit};
use pvc_libvirt::{Hypervisor, HypervisorError};

use crate::site::{Site, seen, until, uuid};

const MAC: &str = "52:54:00:5a:00:01";

/// A pair of devices, which goes when this does.
struct Pair {
    device: String,
    index: u32,
}

impl Pair {
    fn new() -> Self {
        // Other runs of this test may have theirs on this machine.
        let device = format!("pvcmv{}", std::process::id());
        let peer = format!("{device}p");
        ip(&["link", "add", &device, "type", "veth", "peer", "name", &peer]);
        ip(&["link", "set", &peer, "up"]);
        let index = read(&device, "ifindex").parse().unwrap();
        Self { device, index }
    }

    /// The macvtap on it, if there is one, and its address.
    fn tap(&self) -> Option<(String, String)> {
        let entries = std::fs::read_dir(format!("/sys/class/net/{}", self.device)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let tap = names.filter_map(|name| name.strip_prefix("upper_").map(str::to_owned)).next()?;
        let mac = read(&tap, "address");
        Some((tap, mac))
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        ip(&["link", "delete", &self.device]);
    }
}

fn ip(args: &[&str]) {
    assert!(Command::new("ip").args(args).status().unwrap().success(), "ip {args:?}");
}

fn read(device: &str, what: &str) -> String {
    let text = std::fs::read_to_string(format!("/sys/class/net/{device}/{what}")).unwrap();
    text.trim().to_owned()
}

/// `show_taps` makes devices of these numbers visible to the VMs of node 0.
pub(crate) async fn a_vm_has_a_device_to_itself_and_leaves_it_as_it_was<S: Site>(
    site: &S,
    show_taps: impl Fn(std::ops::Range<u32>),
) {
    let (pair, hv) = (Pair::new(), site.port(0));
    // Numbers are counted up; others on this machine may make some meanwhile.
    show_taps(pair.index..pair.index + 200);
    let function: SriovName = pair.device.parse().unwrap();
    let before = read(&pair.device, "address");
    let with = |name: &str, number: u32, mac: &str| {
        let interface = edit::macvtap_interface(&function, mac, "virtio");
        edit::add_device(&site.definition(name, uuid(number)), &interface).unwrap()
    };
    hv.start(uuid(110), &with("vm110", 110, MAC)).await.unwrap();
    let (tap, mac) = pair.tap().expect("there is a device on it");
    assert_eq!(mac, MAC);
    let live = describe(&hv.live_xml(uuid(110)).await.unwrap()).unwrap();
    let [net] = &*live.networks else { panic!("{live:?}") };
    assert_eq!((net.kind.as_str(), net.vni.as_str()), ("direct", &*format!("macvtap:{function}")));
    assert_eq!((net.tap.as_deref(), net.mac.as_str()), (Some(&*tap), MAC));

    hv.destroy(uuid(110)).await.unwrap();
    // libvirt tells of the end before it has cleaned up.
    until("the device is as it was", || async {
        (pair.tap(), read(&pair.device, "address")) == (None, before.clone())
    })
    .await;

    hv.start(uuid(110), &with("vm110", 110, MAC)).await.unwrap();
    // Not asked for where it can be helped: libvirt forgets then what address the device had before.
    let second = hv.start(uuid(111), &with("vm111", 111, "52:54:00:5a:00:02")).await;
    assert!(matches!(second, Err(HypervisorError::Refused { .. })), "{second:?}");
    assert_eq!(seen(site, 0, uuid(111)).await, None);
    hv.destroy(uuid(110)).await.unwrap();
    until("nothing is on the device", || async { pair.tap().is_none() }).await;
}
