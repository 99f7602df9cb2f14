//! What fencing relies on.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use pvc_ceph::{Blocked, Ceph, CephError, Lock};
use pvc_common::id::{OsdId, VolumeId};
use pvc_common::state::OsdLoss;

use crate::site::Site;

const HOUR: Duration = Duration::from_secs(3600);

fn image(name: &str) -> VolumeId {
    format!("vms/{name}").parse().unwrap()
}

async fn is_listed(site: &impl Site, address: Ipv4Addr) -> bool {
    let entries = site.port().blocklisted().await.unwrap();
    entries.iter().any(|entry| entry.who == Blocked::Address(address.into()))
}

pub(crate) async fn a_host_that_is_shut_out_writes_no_more_and_others_do(site: &impl Site) {
    let [dead, other] = [site.address(2), site.address(3)];
    for (name, from) in [("dead", dead), ("other", other)] {
        site.create_image(&image(name)).await;
        assert!(site.writer(&image(name), from).await);
    }
    let epoch = site.port().blocklist(&[dead.into()], HOUR).await.unwrap();
    assert!(!site.still_writes(&image("dead")).await);
    assert!(site.still_writes(&image("other")).await);
    assert!(is_listed(site, dead).await && !is_listed(site, other).await);
    let again = site.port().blocklist(&[dead.into()], HOUR).await.unwrap();
    assert!(again >= epoch, "{again:?} after {epoch:?}");
    site.create_image(&image("late")).await;
    assert!(!site.writer(&image("late"), dead).await, "a new client of that host");
    site.port().unblocklist(&[dead.into()]).await.unwrap();
    assert!(!is_listed(site, dead).await);
    assert!(site.writer(&image("late"), dead).await, "the host is let in again");
}

pub(crate) async fn nobody_is_let_in_that_is_not_shut_out(site: &impl Site) {
    site.port().unblocklist(&[site.address(4).into()]).await.unwrap();
    site.port().blocklist(&[], HOUR).await.unwrap();
    site.port().mark_down(&[], OsdLoss::Dead).await.unwrap();
}

/// Ceph keeps the time of an entry that is added again.
pub(crate) async fn a_short_entry_is_prolonged(site: &impl Site) {
    let address = site.address(5);
    let until_s = async || {
        let entries = site.port().blocklisted().await.unwrap();
        let entry = entries.iter().find(|entry| entry.who == Blocked::Address(address.into()));
        entry.map(|entry| entry.until_s).unwrap()
    };
    site.port().blocklist(&[address.into()], Duration::from_secs(60)).await.unwrap();
    let short_s = until_s().await;
    site.port().blocklist(&[address.into()], HOUR).await.unwrap();
    assert!(until_s().await > short_s + 3000);
    site.port().unblocklist(&[address.into()]).await.unwrap();
    let left = site.port().blocklisted().await.unwrap();
    let covers = |who: &Blocked| match who {
        Blocked::Address(blocked) => *blocked == address,
        Blocked::Network(network) => network.contains(&IpAddr::from(address)),
        Blocked::Client(_) => false,
    };
    assert!(!left.iter().any(|entry| covers(&entry.who)), "{left:?}");
}

pub(crate) async fn a_lock_is_taken_from_its_holder_who_is_shut_out(site: &impl Site) {
    let (image, from) = (image("locked"), site.address(6));
    site.create_image(&image).await;
    assert_eq!(site.port().locks(&image).await.unwrap(), []);
    assert!(site.writer(&image, from).await);
    let locks = site.port().locks(&image).await.unwrap();
    let [lock] = &locks[..] else { panic!("one lock: {locks:?}") };
    assert_eq!(lock.address.socket.ip(), from);
    let others = Lock { locker: "client.4".to_owned(), ..lock.clone() };
    site.port().remove_lock(&image, &others).await.unwrap();
    assert_eq!(site.port().locks(&image).await.unwrap(), locks, "not that holder's");
    for _ in 0..2 {
        site.port().remove_lock(&image, lock).await.unwrap();
    }
    assert!(!site.still_writes(&image).await);
    assert!(!site.port().locks(&image).await.unwrap().contains(lock));
    assert!(!is_listed(site, from).await, "it alone, not its host");
    assert!(site.writer(&image, from).await, "another client of that host");
}

pub(crate) async fn an_image_that_is_not_there_is_told(site: &impl Site) {
    let lock = Lock {
        id: "auto 1".to_owned(),
        locker: "client.4".to_owned(),
        address: "127.0.0.1:0/1".parse().unwrap(),
    };
    for none in ["vms/none", "none/none"] {
        let none: VolumeId = none.parse().unwrap();
        let answer = site.port().locks(&none).await;
        assert!(matches!(answer, Err(CephError::NoImage { .. })), "{answer:?}");
        let answer = site.port().remove_lock(&none, &lock).await;
        assert!(matches!(answer, Err(CephError::NoImage { .. })), "{answer:?}");
    }
}

/// Twice the same, and once as dead after it was down: an author that is replaced says it again.
pub(crate) async fn an_osd_that_is_called_lost_is_down_until_it_is_seen_to_live(site: &impl Site) {
    for losses in [&[OsdLoss::Down][..], &[OsdLoss::Down, OsdLoss::Dead, OsdLoss::Dead]] {
        let before = site.osd_last_down().await;
        for loss in losses {
            site.port().mark_down(&[OsdId(0), OsdId(77)], *loss).await.unwrap();
        }
        assert!(site.osd_last_down().await > before, "{losses:?}");
        site.osd_comes_back().await;
    }
}

pub(crate) async fn the_lock_of_a_host_that_is_shut_out_stays_until_it_is_taken(site: &impl Site) {
    let (image, from) = (image("left"), site.address(7));
    site.create_image(&image).await;
    assert!(site.writer(&image, from).await);
    let locks = site.port().locks(&image).await.unwrap();
    site.port().blocklist(&[from.into()], HOUR).await.unwrap();
    assert!(!site.still_writes(&image).await);
    assert_eq!(site.port().locks(&image).await.unwrap(), locks);
    for _ in 0..2 {
        site.port().remove_lock(&image, &locks[0]).await.unwrap();
        assert_eq!(site.port().locks(&image).await.unwrap(), []);
    }
    assert!(is_listed(site, from).await, "its host is shut out as before");
    assert!(site.writer(&image, site.address(8)).await, "the next one has it at once");
    site.port().unblocklist(&[from.into()]).await.unwrap();
}
