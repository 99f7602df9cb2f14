//! One suite for the network devices, on a machine in memory and in a namespace of the kernel.

#![expect(clippy::unwrap_used, reason = "tests")]

use pvc_common::observed::{LinkKind, Tunnel};
use pvc_host::fake::FakeHost;
use pvc_host::real::{Netlink, PacketAnnouncer};
use pvc_host::{Announcement, Announcer, DefaultRoute, LinkError, LinkStep, Links, Mac};

/// A bridge with an address, a route, and everything done twice. `device` exists.
async fn suite(links: &impl Links, device: &str) {
    let address = "10.77.0.1/24".parse().unwrap();
    let floating = "10.77.0.250/24".parse().unwrap();
    let (device, bridge) = (device.to_owned(), "brtest".to_owned());
    let route = DefaultRoute { gateway: "10.77.0.254".parse().unwrap(), device: bridge.clone() };
    let steps = [
        LinkStep::Mtu { device: device.clone(), mtu: 1400 },
        LinkStep::Up { device: device.clone() },
        LinkStep::Bridge { name: bridge.clone(), like: device.clone() },
        LinkStep::Enslave { device: device.clone(), bridge: bridge.clone() },
        LinkStep::Mtu { device: bridge.clone(), mtu: 1400 },
        LinkStep::AddAddress { device: bridge.clone(), address },
        LinkStep::AddAddress { device: bridge.clone(), address: floating },
        LinkStep::DefaultRoute(route.clone()),
    ];
    let mut seen = Vec::new();
    for _ in 0..2 {
        for step in &steps {
            links.apply(step).await.unwrap_or_else(|error| panic!("{step}: {error}"));
        }
        seen.push(links.observe().await.unwrap());
    }
    assert_eq!(seen[0], seen[1], "twice is once");
    let (port, made) = (&seen[0].links[&device], &seen[0].links[&bridge]);
    assert_eq!((port.up, port.mtu, port.bridge_port_of.as_ref()), (true, 1400, Some(&bridge)));
    assert_eq!((made.up, made.mtu, &made.kind), (true, 1400, &LinkKind::Bridge));
    assert_eq!(made.mac, port.mac, "the bridge keeps the address it was made with");
    assert_eq!(made.addresses, [address, floating]);
    assert_eq!(seen[0].default_routes, [route]);

    let gone = LinkStep::RemoveAddress { device: bridge.clone(), address: floating };
    for _ in 0..2 {
        links.apply(&gone).await.unwrap();
    }
    assert_eq!(links.observe().await.unwrap().links[&bridge].addresses, [address]);

    suite_v6(links, &bridge).await;
    what_is_on_no_device_is_gone(links).await;

    let missing = LinkStep::Up { device: "nonexistent0".to_owned() };
    assert_eq!(
        links.apply(&missing).await,
        Err(LinkError::Missing { device: "nonexistent0".to_owned() })
    );
    let unreachable =
        DefaultRoute { gateway: "192.0.2.1".parse().unwrap(), device: bridge.clone() };
    let refused = links.apply(&LinkStep::DefaultRoute(unreachable)).await;
    assert!(matches!(refused, Err(LinkError::Refused { .. })), "{refused:?}");
}

const PORT: &str = "vxlan7";
const BRIDGE: &str = "vmbr7";

fn tunnel() -> LinkKind {
    let local = Some("10.77.0.1".parse().unwrap());
    LinkKind::Vxlan(Tunnel { vni: 7, port: 4789, local, learning: false })
}

/// What a network of VMs takes.
fn network() -> Vec<LinkStep> {
    let (port, bridge) = (PORT.to_owned(), BRIDGE.to_owned());
    vec![
        LinkStep::Make { name: port.clone(), kind: tunnel() },
        LinkStep::Quiet { device: port.clone() },
        LinkStep::Mtu { device: port.clone(), mtu: 1350 },
        LinkStep::Make { name: bridge.clone(), kind: LinkKind::Bridge },
        LinkStep::Address { device: bridge.clone(), mac: Mac([0x0a, 0x70, 10, 77, 0, 1]) },
        LinkStep::Quiet { device: bridge.clone() },
        LinkStep::Mtu { device: bridge.clone(), mtu: 1350 },
        LinkStep::Up { device: bridge.clone() },
        LinkStep::Enslave { device: port.clone(), bridge },
        LinkStep::Unlearning { device: port.clone() },
        LinkStep::Up { device: port },
    ]
}

/// A network of VMs is made and removed, everything twice; a `device` is in its bridge meanwhile.
async fn networks(links: &impl Links, device: &str) {
    for _ in 0..2 {
        for step in network() {
            links.apply(&step).await.unwrap_or_else(|error| panic!("{step}: {error}"));
        }
        let seen = links.observe().await.unwrap().links;
        let (port, bridge) = (&seen[PORT], &seen[BRIDGE]);
        assert_eq!((&port.kind, &bridge.kind), (&tunnel(), &LinkKind::Bridge));
        assert_eq!((port.mtu, port.up, bridge.mtu, bridge.up), (1350, true, 1350, true));
        assert_eq!(port.bridge_port_of.as_deref(), Some(BRIDGE));
        assert!(!port.learned_from && !port.link_local && !bridge.link_local);
        assert_eq!(bridge.mac, Some(Mac([0x0a, 0x70, 10, 77, 0, 1])));
        assert_eq!((&port.addresses_v6, &bridge.addresses_v6), (&vec![], &vec![]));
        assert_eq!((&port.permanent_v6, &bridge.permanent_v6), (&vec![], &vec![]));
    }
    let guest = LinkStep::Enslave { device: device.to_owned(), bridge: BRIDGE.to_owned() };
    links.apply(&guest).await.unwrap();
    assert!(links.observe().await.unwrap().links[device].learned_from);
    a_look_at_some_devices_sees_no_others(links, device).await;
    for _ in 0..2 {
        links.apply(&LinkStep::Down { device: BRIDGE.to_owned() }).await.unwrap();
        assert!(!links.observe().await.unwrap().links[BRIDGE].up);
    }

    let taken = LinkStep::Make { name: PORT.to_owned(), kind: LinkKind::Bridge };
    let error = LinkError::Taken { device: PORT.to_owned() };
    assert_eq!(links.apply(&taken).await, Err(error));
    for step in network().iter().filter(|step| !matches!(step, LinkStep::Make { .. })) {
        let missing = match step.clone() {
            LinkStep::Quiet { .. } => LinkStep::Quiet { device: "gone0".to_owned() },
            LinkStep::Mtu { mtu, .. } => LinkStep::Mtu { device: "gone0".to_owned(), mtu },
            LinkStep::Address { mac, .. } => LinkStep::Address { device: "gone0".to_owned(), mac },
            LinkStep::Unlearning { .. } => LinkStep::Unlearning { device: "gone0".to_owned() },
            _ => LinkStep::Up { device: "gone0".to_owned() },
        };
        let error = LinkError::Missing { device: "gone0".to_owned() };
        assert_eq!(links.apply(&missing).await, Err(error), "{missing}");
    }

    let one_by_one = [PORT, BRIDGE].map(|device| LinkStep::Remove { device: device.to_owned() });
    let devices = [PORT, BRIDGE, "gone0"].map(str::to_owned).into();
    let together = [LinkStep::RemoveTogether { devices, group: 0x5000_0007 }];
    for steps in [&one_by_one[..], &together] {
        for step in network().iter().chain([&guest]) {
            links.apply(step).await.unwrap();
        }
        for step in steps.iter().chain(steps) {
            links.apply(step).await.unwrap_or_else(|error| panic!("{step}: {error}"));
        }
        let seen = links.observe().await.unwrap().links;
        assert!(!seen.contains_key(PORT) && !seen.contains_key(BRIDGE), "{steps:?}");
        assert_eq!(seen[device].bridge_port_of, None, "what was in it is free");
    }
    what_is_in_a_group_goes_at_once(links).await;
}

/// But for their ports.
async fn a_look_at_some_devices_sees_no_others(links: &impl Links, guest: &str) {
    let whole = links.observe().await.unwrap().links;
    for (asked, found) in [
        (&[BRIDGE, "gone0"][..], &[guest, BRIDGE, PORT][..]),
        (&[BRIDGE, PORT], &[guest, BRIDGE, PORT]),
        (&["gone0"], &[]),
    ] {
        let asked: Vec<String> = asked.iter().map(|name| (*name).to_owned()).collect();
        let seen = links.observe_some(&asked).await.unwrap();
        assert_eq!(seen.links.keys().collect::<Vec<_>>(), found);
        for (name, link) in seen.links {
            let mut expected = whole[&name].clone();
            expected.addresses.clear();
            expected.addresses_v6.clear();
            expected.permanent_v6.clear();
            assert_eq!(link, expected, "{name}");
        }
    }
}

/// That is why the caller has to look who is in it.
async fn what_is_in_a_group_goes_at_once(links: &impl Links) {
    let names = ["vmbr7", "vmbr8"].map(str::to_owned);
    for name in names.clone() {
        links.apply(&LinkStep::Make { name, kind: LinkKind::Bridge }).await.unwrap();
    }
    for (device, rest) in [("gone0", 2), ("vmbr7", 1), ("vmbr8", 0)] {
        let step = LinkStep::RemoveTogether { devices: vec![device.to_owned()], group: 9 };
        links.apply(&step).await.unwrap();
        let seen = links.observe().await.unwrap().links;
        assert_eq!(names.iter().filter(|name| seen.contains_key(*name)).count(), rest, "{device}");
    }
}

/// A VLAN, where the kernel has them; otherwise it says so.
async fn vlan(links: &impl Links, carrier: &str) -> Result<(), LinkError> {
    let (name, kind) = ("vlan7".to_owned(), LinkKind::Vlan { id: 7, carrier: carrier.to_owned() });
    links.apply(&LinkStep::Up { device: carrier.to_owned() }).await.unwrap();
    links.apply(&LinkStep::Make { name: name.clone(), kind: kind.clone() }).await?;
    links.apply(&LinkStep::Up { device: name.clone() }).await.unwrap();
    assert_eq!(links.observe().await.unwrap().links[&name].kind, kind);
    links.apply(&LinkStep::Remove { device: name }).await
}

const NO_VLAN: LinkError = LinkError::NoSuchKind { kind: "vlan" };

#[tokio::test]
async fn a_machine_in_memory_has_networks() {
    let host = FakeHost::new();
    host.plug_in("ens4");
    networks(&host, "ens4").await;
    vlan(&host, "ens4").await.unwrap();
    host.lack_kind("vlan");
    assert_eq!(vlan(&host, "ens4").await, Err(NO_VLAN));
}

/// On one thread, as below.
#[tokio::test(flavor = "current_thread")]
async fn the_kernel_has_networks() {
    if !own_namespace() {
        return;
    }
    let links = Netlink::open().unwrap();
    pair();
    networks(&links, "veth0").await;
    let clones = [links.clone(), links.clone(), links.clone(), links.clone()];
    let looks = clones.iter().map(|links| async { links.observe().await.map(|_| ()) });
    let looks = futures_util::future::join_all(looks).await;
    assert!(looks.iter().all(Result::is_ok), "many may look at once: {looks:?}");
    ip(&["link", "set", "veth0", "group", "1342177287"]);
    assert_eq!(links.observe().await.unwrap().links["veth0"].group, 0x5000_0007);
    others_get_their_turn_while_the_kernel_waits(&links).await;
    let made = vlan(&links, "veth0").await;
    assert!(made == Ok(()) || made == Err(NO_VLAN), "{made:?}");
}

/// Removing a device takes the kernel milliseconds, in which it does nothing but wait.
async fn others_get_their_turn_while_the_kernel_waits(links: &Netlink) {
    let turns = std::cell::Cell::new(0);
    let others = async {
        loop {
            turns.set(turns.get() + 1);
            tokio::task::yield_now().await;
        }
    };
    let removals = async {
        for _ in 0..10 {
            let name = BRIDGE.to_owned();
            links.apply(&LinkStep::Make { name, kind: LinkKind::Bridge }).await.unwrap();
            links.apply(&LinkStep::Remove { device: BRIDGE.to_owned() }).await.unwrap();
        }
    };
    tokio::select! {
        () = removals => {}
        () = others => {}
    }
    assert!(turns.get() > 1_000, "{} turns", turns.get());
}

/// Addresses went with their device; to have one there is an error all the same.
async fn what_is_on_no_device_is_gone(links: &impl Links) {
    let device = || "nonexistent0".to_owned();
    let (v4, v6) = ("10.77.0.250/24".parse().unwrap(), "2001:db8:77::1/64".parse().unwrap());
    for gone in [
        LinkStep::RemoveAddress { device: device(), address: v4 },
        LinkStep::RemoveAddressV6 { device: device(), address: v6 },
    ] {
        assert_eq!(links.apply(&gone).await, Ok(()), "{gone}");
    }
    for wanted in [
        LinkStep::AddAddress { device: device(), address: v4 },
        LinkStep::AddAddressV6 { device: device(), address: v6 },
    ] {
        let error = LinkError::Missing { device: device() };
        assert_eq!(links.apply(&wanted).await, Err(error), "{wanted}");
    }
}

/// IPv6 addresses come and go, those on the own wire as well.
async fn suite_v6(links: &impl Links, bridge: &str) {
    let device = || bridge.to_owned();
    let all = ["2001:db8:77::1/64", "fe80::1/64"].map(|text| text.parse().unwrap());
    let before = links.observe().await.unwrap().links[bridge].permanent_v6.clone();
    for _ in 0..2 {
        for address in all {
            links.apply(&LinkStep::AddAddressV6 { device: device(), address }).await.unwrap();
        }
    }
    let seen = links.observe().await.unwrap().links[bridge].clone();
    assert!(all.iter().all(|address| seen.permanent_v6.contains(address)), "{seen:?}");
    assert_eq!(seen.addresses_v6, all[..1], "the other one leads nowhere else");
    for _ in 0..2 {
        for address in all {
            links.apply(&LinkStep::RemoveAddressV6 { device: device(), address }).await.unwrap();
        }
    }
    let seen = links.observe().await.unwrap().links[bridge].clone();
    assert_eq!((seen.permanent_v6, seen.addresses_v6), (before, vec![]));
}

#[tokio::test]
async fn a_machine_in_memory_has_links() {
    let host = FakeHost::new();
    host.plug_in("ens4");
    suite(&host, "ens4").await;
    let before = host.changes();
    host.apply(&LinkStep::Up { device: "ens4".to_owned() }).await.unwrap();
    assert_eq!(host.changes(), before);
    let told = Announcement::new("brtest", [10, 77, 0, 250]);
    host.announce(&told).await.unwrap();
    assert_eq!(host.announced(), [told]);
}

/// On one thread: a network namespace belongs to the thread that made it.
#[tokio::test(flavor = "current_thread")]
async fn the_kernel_has_links() {
    if !own_namespace() {
        return;
    }
    let links = Netlink::open().unwrap();
    pair();
    suite(&links, "veth0").await;
    let announcement = Announcement {
        frames: 2,
        interval: std::time::Duration::from_millis(1),
        ..Announcement::new("brtest", [10, 77, 0, 250])
    };
    PacketAnnouncer.announce(&announcement).await.unwrap();
    neighbours_learn_where_an_address_is(&links).await;
    what_is_on_a_device_without_ipv6_is_gone(&links).await;
    let nowhere = Announcement { device: "nonexistent0".to_owned(), ..announcement };
    assert!(PacketAnnouncer.announce(&nowhere).await.is_err());
    let inward = Announcement { device: "lo".to_owned(), ..nowhere };
    let refused = PacketAnnouncer.announce(&inward).await.unwrap_err().to_string();
    assert_eq!(refused, "lo has no Ethernet address");
}

/// Where somebody has switched IPv6 off, and where packets are too small for it.
async fn what_is_on_a_device_without_ipv6_is_gone(links: &Netlink) {
    let (device, address) = (|| "brtest".to_owned(), "2001:db8:77::9/64".parse().unwrap());
    let add = LinkStep::AddAddressV6 { device: device(), address };
    let remove = LinkStep::RemoveAddressV6 { device: device(), address };
    links.apply(&add).await.unwrap();
    std::fs::write("/proc/sys/net/ipv6/conf/brtest/disable_ipv6", "1").unwrap();
    for _ in 0..2 {
        assert_eq!(links.apply(&remove).await, Ok(()), "switched off");
    }
    std::fs::write("/proc/sys/net/ipv6/conf/brtest/disable_ipv6", "0").unwrap();
    links.apply(&LinkStep::Mtu { device: device(), mtu: 1200 }).await.unwrap();
    assert_eq!(links.apply(&remove).await, Ok(()), "too small");
    assert!(links.apply(&add).await.is_err(), "it cannot be had there");
    links.apply(&LinkStep::Mtu { device: device(), mtu: 1400 }).await.unwrap();
}

/// A neighbour that knew an address elsewhere learns by an announcement that it is here.
async fn neighbours_learn_where_an_address_is(links: &Netlink) {
    links.apply(&LinkStep::Up { device: "veth1".to_owned() }).await.unwrap();
    for (address, stale) in
        [("10.77.0.250", "02:00:00:00:00:99"), ("2001:db8:77::1", "02:00:00:00:00:99")]
    {
        ip(&["neigh", "replace", address, "lladdr", stale, "dev", "veth1", "nud", "stale"]);
        let told = Announcement::new("veth0", address.parse::<std::net::IpAddr>().unwrap());
        PacketAnnouncer.announce(&told).await.unwrap();
        let known = ip(&["neigh", "show", address, "dev", "veth1"]);
        assert!(!known.contains(stale) && known.contains("lladdr"), "{address}: {known}");
    }
}

/// Asks the system's own tool; what it says.
fn ip(words: &[&str]) -> String {
    let done = std::process::Command::new("ip").args(words).output().unwrap();
    assert!(done.status.success(), "ip {words:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// Moves this thread into a network namespace of its own.
///
/// `false` where that is not permitted and the environment says that this is known.
#[expect(unsafe_code, reason = "the standard library knows no namespaces")]
fn own_namespace() -> bool {
    // SAFETY: a call with a plain number that affects this thread's view of the network only.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } == 0 {
        return true;
    }
    assert!(
        std::env::var_os("PVC_TEST_NO_SERVICES").is_some(),
        "a network namespace needs root; set PVC_TEST_NO_SERVICES=1 to leave this test out"
    );
    false
}

/// Makes `veth0`, with a partner, by the system's own tool.
fn pair() {
    let made = std::process::Command::new("ip")
        .args(["link", "add", "veth0", "type", "veth", "peer", "name", "veth1"])
        .status()
        .unwrap();
    assert!(made.success());
}
