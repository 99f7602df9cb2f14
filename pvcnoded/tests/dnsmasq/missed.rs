//! What becomes of leases that the helper could not keep, and of those that it need not keep.

use std::fs;

use pvcnoded::dhcp::folder::Folders;
use pvcnoded::dhcp::spool::Spool;

use super::guest::Guest;
use super::primary::{self, Cluster, Primary};
use super::{leased, vni};

const MAC: &str = "52:54:00:00:00:09";
const OTHER: &str = "52:54:00:00:00:0a";

/// The lines in which a dnsmasq's log tells of events that were not kept.
fn lost(primary: &Primary) -> Vec<String> {
    let log = primary.log(1000);
    log.lines().filter(|line| line.contains("pvc-dhcp-lease: ")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "current_thread")]
async fn a_lease_that_could_not_be_kept_reaches_the_tree_once_it_can_be() {
    if !primary::own_namespace() {
        return;
    }
    let cluster = Cluster::new(&[1000]).await;
    let first = Primary::begin(&cluster, "hv1").await;
    let guest = Guest::plug_into("vmbr1000", MAC);
    let v4 = guest.dhcp4("web1").split(' ').next().unwrap().to_owned();
    let v6 = guest.dhcp6();
    let has_v6 = |view: &pvc_common::view::View| {
        let lease = view.networks[&vni(1000)].leases6.get(&v6.parse().unwrap());
        lease.is_some_and(|lease| lease.mac.copied().flatten() == MAC.parse().ok())
    };
    let has_both = |view: &pvc_common::view::View| {
        leased(view, MAC).as_deref() == Some(v4.as_str()) && has_v6(view)
    };
    cluster.until("both leases are in the tree", has_both).await;
    first.end().await;

    // A dnsmasq that knows both by what it was told when it started.
    let second = Primary::begin(&cluster, "hv2").await;
    let spool = Spool::new(&second.places.spool);
    let marks = Folders::new(&second.places.run).marks();
    // Nothing can be kept, while what waits can be read: as on a disk that is full.
    fs::remove_dir_all(&second.places.spool).ok();
    std::os::unix::fs::symlink("no/where", &second.places.spool).unwrap();
    let other = Guest::plug_into("vmbr1000", OTHER);
    let others = other.dhcp4("web2").split(' ').next().unwrap().to_owned();
    guest.until("a mark", || marks.all().unwrap().contains_key(&vni(1000)).then_some(())).await;
    assert_eq!(leased(&*cluster.view().await, OTHER), None);
    let line = format!("add {OTHER} {others} web2");
    let tells = || lost(&second).first().is_some_and(|it| it.contains(&line)).then_some(());
    guest.until("its log tells", tells).await;

    // Of all that it tells anew, only what the tree lacks has to be kept.
    let before = lost(&second).len();
    // When it tells that one for the second time, it has told of the others, too.
    for more in 1..=2 {
        second.reload_dnsmasq(1000);
        let told = || (lost(&second).len() >= before + more).then_some(());
        guest.until("it is told again", told).await;
    }
    let end = format!("old {OTHER} {others} web2");
    assert!(lost(&second)[before..].iter().all(|line| line.contains(&end)), "{:?}", lost(&second));

    fs::remove_file(&second.places.spool).unwrap();
    cluster
        .until("the other lease is in the tree", |view| {
            leased(view, OTHER).as_deref() == Some(others.as_str())
        })
        .await;
    guest.until("no mark", || marks.all().unwrap().is_empty().then_some(())).await;
    guest.until("nothing waits", || spool.of(vni(1000)).unwrap().is_empty().then_some(())).await;
    assert!(has_both(&*cluster.view().await), "no part of them is lost");
    second.end().await;
}
