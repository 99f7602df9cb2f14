//! Guests that get their addresses of a real dnsmasq, by the kernel and by real clients.
//!
//! Everything but systemd and ZooKeeper is real: the gateways, the files, dnsmasq as its unit starts it,
//! the lease helper, its spool. The primary is this thread's network namespace; the guest is another
//! one, with an interface on the network's bridge.

#![expect(clippy::unwrap_used, reason = "tests")]

mod guest;
mod missed;
mod primary;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pvc_common::id::Vni;
use pvc_common::view::View;
use pvcnoded::dhcp::spool::Spool;

use guest::Guest;
use primary::{Cluster, Primary};

fn vni(n: u32) -> Vni {
    n.to_string().parse().unwrap()
}

/// The address that a guest was leased, as the tree has it.
fn leased(view: &View, mac: &str) -> Option<String> {
    let lease = view.networks[&vni(1000)].leases.get(&mac.parse().unwrap())?;
    lease.ip.copied().flatten().map(|ip| ip.to_string())
}

/// On one thread: a network namespace belongs to the thread that made it.
#[tokio::test(flavor = "current_thread")]
async fn a_guest_has_addresses_a_route_and_names_and_keeps_them_when_the_primary_moves() {
    if !primary::own_namespace() {
        return;
    }
    let cluster = Cluster::new(&[1000, 1001]).await;
    let first = Primary::begin(&cluster, "hv1").await;
    let guest = Guest::plug_into("vmbr1000", "52:54:00:00:00:09");

    // By the router's advertisement alone: the kernel's own client.
    let of_its_own = guest.until("an address of its own making", || {
        guest.addresses6().into_iter().find(|ip| ip.starts_with("2001:db8:1000:0:5054:"))
    });
    let of_its_own = of_its_own.await;
    assert!(guest.run(&["ip", "-6", "route", "show", "default"]).contains("via fe80::1 "));

    let v4 = guest.dhcp4("web1");
    assert!(
        v4.starts_with("10.232.0.1") && v4.ends_with(" 10.232.0.1 10.232.0.1 net1000.local"),
        "{v4}"
    );
    let v4 = v4.split(' ').next().unwrap().to_owned();
    let v6 = guest.dhcp6();
    assert!(v6.starts_with("2001:db8:1000:") && v6 != of_its_own, "{v6}");
    cluster
        .until("both leases are in the tree", |view| {
            leased(view, "52:54:00:00:00:09").as_deref() == Some(v4.as_str())
                && view.networks[&vni(1000)].leases6.contains_key(&v6.parse().unwrap())
        })
        .await;
    let lease6 = &cluster.view().await.networks[&vni(1000)].leases6[&v6.parse().unwrap()];
    assert_eq!(lease6.mac.copied().flatten(), "52:54:00:00:00:09".parse().ok());

    // Names: of the guest itself, and of whom an address is kept for.
    assert!(guest.lookup("web1.net1000.local", "10.232.0.1").contains(&v4));
    assert!(guest.lookup("kept.net1000.local", "10.232.0.1").contains("10.232.0.50"));
    primary::others_may_serve_names_beside_it();

    // The cluster's name server knows the others of the domain, as those of another network.
    primary::serve_names();
    assert!(guest.lookup("else.net1000.local", "10.232.0.1").contains(primary::ELSEWHERE));
    // And what addresses of the network are called, private ones too.
    assert!(guest.lookup("10.232.0.77", "10.232.0.1").contains(primary::CALLED));
    assert!(guest.lookup(&v4, "10.232.0.1").contains("web1.net1000.local"));
    let own = guest.lookup("web1.net1000.local", "10.232.0.1");
    assert!(own.contains(&v4) && !own.contains(primary::ELSEWHERE), "{own}");

    first.end().await;
    let second = Primary::begin(&cluster, "hv2").await;
    let other = Guest::plug_into("vmbr1000", "52:54:00:00:00:0a");
    let others = other.dhcp4("web2");
    assert_ne!(others.split(' ').next(), Some(v4.as_str()), "it is another's");
    assert!(guest.dhcp4("web1").starts_with(&format!("{v4} ")), "it keeps its address");
    assert_eq!(guest.dhcp6(), v6);
    let kept = Guest::plug_into("vmbr1000", "52:54:00:00:00:50");
    assert!(kept.dhcp4("anything").starts_with("10.232.0.50 "));
    cluster
        .until("all leases are in the tree", |view| {
            leased(view, "52:54:00:00:00:50").as_deref() == Some("10.232.0.50")
                && view.networks[&vni(1000)].leases.len() == 3
        })
        .await;
    second.end().await;
}

/// The name that the tree has of a guest's lease.
fn called(view: &View, mac: &str) -> Option<Option<String>> {
    view.networks[&vni(1000)].leases.get(&mac.parse().unwrap())?.hostname.get().cloned()
}

#[tokio::test(flavor = "current_thread")]
async fn no_guest_takes_the_name_of_a_vm_by_saying_it() {
    if !primary::own_namespace() {
        return;
    }
    let cluster = Cluster::new(&[1000]).await;
    cluster.define("web1", 1000, "52:54:00:00:00:01").await;
    let primary = Primary::begin(&cluster, "hv1").await;
    // Its VM does not run yet.
    let thief = Guest::plug_into("vmbr1000", "52:54:00:00:00:0e");
    thief.dhcp4("web1");
    cluster
        .until("its lease has no name", |view| called(view, "52:54:00:00:00:0e") == Some(None))
        .await;
    let web1 = Guest::plug_into("vmbr1000", "52:54:00:00:00:01");
    let v4 = web1.dhcp4("web1");
    let v4 = v4.split(' ').next().unwrap();
    let named = Some(Some("web1".to_owned()));
    cluster.until("web1 has its name", |view| called(view, "52:54:00:00:00:01") == named).await;
    thief.dhcp4("web1.net1000.local");
    assert!(thief.lookup("web1.net1000.local", "10.232.0.1").contains(v4));
    thief.dhcp4("desk");
    let named = Some(Some("desk".to_owned()));
    cluster.until("it has a free name", |view| called(view, "52:54:00:00:00:0e") == named).await;
    assert!(thief.lookup("web1.net1000.local", "10.232.0.1").contains(v4));
    primary.end().await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_machine_is_served_and_called_whatever_its_reservations_name_means_to_dnsmasq() {
    if !primary::own_namespace() {
        return;
    }
    let cluster = Cluster::new(&[1000]).await;
    let names = ["ignore", "infinite", "7", "12h"];
    let mac = |n: usize| format!("52:54:00:00:00:6{n}");
    let ip = |n: usize| format!("10.232.0.6{n}");
    for (n, name) in names.into_iter().enumerate() {
        cluster.keep(1000, &mac(n), &ip(n), name).await;
    }
    let primary = Primary::begin(&cluster, "hv1").await;
    let day = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 24 * 3600;
    for (n, name) in names.into_iter().enumerate() {
        let guest = Guest::plug_into("vmbr1000", &mac(n));
        let told = guest.dhcp4("anything");
        assert!(told.starts_with(&format!("{} ", ip(n))), "{name}: {told}");
        let named = Some(Some(name.to_owned()));
        cluster.until("it has its name", |view| called(view, &mac(n)) == named).await;
        let view = cluster.view().await;
        let lease = &view.networks[&vni(1000)].leases[&mac(n).parse().unwrap()];
        // For two days, as all leases.
        let end = lease.expiry.copied().unwrap();
        assert!((day..day + 48 * 3600).contains(&end), "{name}: {end}");
        let found = guest.lookup(&format!("{name}.net1000.local"), "10.232.0.1");
        assert!(found.contains(&ip(n)), "{name}: {found}");
    }
    primary.end().await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_dnsmasq_that_is_not_told_its_leases_does_not_serve() {
    if !primary::own_namespace() {
        return;
    }
    let cluster = Cluster::new(&[1000]).await;
    let first = Primary::begin(&cluster, "hv1").await;
    first.stop_dnsmasq(1000);
    std::fs::remove_file(first.places.run.join("1000/leases")).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(20), first.dnsmasq_ends(1000)).await;
    assert!(ended.unwrap().contains("lease-init script returned exit code 1"));
}

/// A helper that dnsmasq starts for a new lease; whoever has the `n`th address.
fn helper(folder: &Path, n: u8) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pvc-dhcp-lease"));
    command
        .args(["add", &format!("52:54:00:00:00:{n:02x}"), &format!("10.232.0.{n}")])
        .env("PVC_DHCP_NETWORK", "1000")
        .env("PVC_DHCP_RUN", folder.join("run"))
        .env("PVC_DHCP_SPOOL", folder.join("spool"))
        .env("DNSMASQ_LEASE_EXPIRES", "4000000000");
    command
}

#[tokio::test]
async fn what_a_helper_has_acknowledged_is_there_whenever_others_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for n in 1..=100_u8 {
        let mut child = helper(folder.path(), n).spawn().unwrap();
        // Somewhere in its life, which takes some milliseconds; every tenth lives to its end.
        if n % 10 != 0 {
            tokio::time::sleep(Duration::from_micros(u64::from(n) * 977 % 6000)).await;
            child.kill().unwrap();
        }
        if child.wait().unwrap().success() {
            acknowledged.push(format!("10.232.0.{n}"));
        }
    }
    assert!(acknowledged.len() >= 10);
    let spool = Spool::new(folder.path().join("spool"));
    let kept: Vec<String> =
        spool.of(vni(1000)).unwrap().iter().map(|event| event.record().ip().to_string()).collect();
    let number = |ip: &String| ip.rsplit_once('.').unwrap().1.parse::<u8>().unwrap();
    assert!(kept.iter().map(number).is_sorted(), "in order: {kept:?}");
    for ip in acknowledged {
        assert!(kept.contains(&ip), "{ip} was acknowledged: {kept:?}");
    }
}
