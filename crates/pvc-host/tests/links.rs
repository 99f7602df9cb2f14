//! One suite for the network devices, on a machine in memory and in a namespace of the kernel.

#![expect(clippy::unwrap_used, reason = "tests")]

use pvc_host::fake::FakeHost;
use pvc_host::real::{Netlink, PacketAnnouncer};
use pvc_host::{Announcement, Announcer, DefaultRoute, LinkError, LinkStep, Links};

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
    assert_eq!((made.up, made.mtu, made.bridge), (true, 1400, true));
    assert_eq!(made.mac, port.mac, "the bridge keeps the address it was made with");
    assert_eq!(made.addresses, [address, floating]);
    assert_eq!(seen[0].default_routes, [route]);

    let gone = LinkStep::RemoveAddress { device: bridge.clone(), address: floating };
    for _ in 0..2 {
        links.apply(&gone).await.unwrap();
    }
    assert_eq!(links.observe().await.unwrap().links[&bridge].addresses, [address]);

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

#[tokio::test]
async fn a_machine_in_memory_has_links() {
    let host = FakeHost::new();
    host.plug_in("ens4");
    suite(&host, "ens4").await;
    let before = host.changes();
    host.apply(&LinkStep::Up { device: "ens4".to_owned() }).await.unwrap();
    assert_eq!(host.changes(), before);
    let told = Announcement::new("brtest", "10.77.0.250".parse().unwrap());
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
        ..Announcement::new("brtest", "10.77.0.250".parse().unwrap())
    };
    PacketAnnouncer.announce(&announcement).await.unwrap();
    let nowhere = Announcement { device: "nonexistent0".to_owned(), ..announcement };
    assert!(PacketAnnouncer.announce(&nowhere).await.is_err());
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
