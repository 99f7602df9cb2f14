//! What a Ceph cluster in memory does.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::IpAddr;
use std::time::Duration;

use pvc_ceph::fake::{FakeCeph, Mood};
use pvc_ceph::{Blocked, Ceph, CephError, Lock};
use pvc_common::id::{OsdId, VolumeId};
use pvc_common::state::OsdLoss;
use tokio::time::Instant;

fn image() -> VolumeId {
    "vms/web1_sda".parse().unwrap()
}

fn lock_of(address: &str) -> Lock {
    let id = format!("auto {address}");
    Lock { id, locker: "client.4385".to_owned(), address: address.parse().unwrap() }
}

fn host(text: &str) -> [IpAddr; 1] {
    [text.parse().unwrap()]
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_shut_out_comes_back_when_the_entry_ends_or_goes() {
    let ceph = FakeCeph::new();
    let client = lock_of("10.0.0.1:0/7").address;
    let hour = Duration::from_secs(3600);
    let first = ceph.blocklist(&host("10.0.0.1"), hour).await.unwrap();
    assert!(ceph.shuts_out(client));
    tokio::time::sleep(hour / 2).await;
    let second = ceph.blocklist(&host("10.0.0.1"), hour).await.unwrap();
    assert!(second > first);
    let entries = ceph.blocklisted().await.unwrap();
    let seen: Vec<_> = entries.iter().map(|entry| (entry.who, entry.until_s)).collect();
    assert_eq!(seen, [(Blocked::Address(host("10.0.0.1")[0]), 5400)]);
    tokio::time::sleep(hour * 3 / 4).await;
    assert!(ceph.shuts_out(client), "the second entry counts");
    tokio::time::sleep(hour / 4).await;
    assert!(!ceph.shuts_out(client));

    ceph.blocklist(&host("10.0.0.1"), hour).await.unwrap();
    for _ in 0..2 {
        ceph.unblocklist(&host("10.0.0.1")).await.unwrap();
        assert!(!ceph.shuts_out(client));
    }
}

#[tokio::test(start_paused = true)]
async fn taking_a_lock_shuts_its_holder_out_and_nobody_else() {
    let ceph = FakeCeph::new();
    let (old, new) = (lock_of("10.0.0.1:0/7"), lock_of("10.0.0.2:0/9"));
    let missing = ceph.locks(&image()).await;
    assert!(matches!(missing, Err(CephError::NoImage { .. })), "{missing:?}");
    assert!(ceph.lock(image(), old.clone()));
    assert_eq!(ceph.locks(&image()).await.unwrap(), std::slice::from_ref(&old));
    for _ in 0..2 {
        ceph.remove_lock(&image(), &old).await.unwrap();
        assert_eq!(ceph.locks(&image()).await.unwrap(), []);
    }
    assert!(!ceph.lock(image(), old.clone()), "it is shut out");
    assert!(ceph.lock(image(), new.clone()));
    ceph.remove_lock(&image(), &old).await.unwrap();
    assert_eq!(ceph.locks(&image()).await.unwrap(), std::slice::from_ref(&new), "another's");
}

#[tokio::test(start_paused = true)]
async fn an_osd_that_lives_comes_back() {
    let ceph = FakeCeph::new();
    ceph.mark_down(&[OsdId(1), OsdId(2)], OsdLoss::Dead).await.unwrap();
    ceph.mark_down(&[OsdId(1), OsdId(2)], OsdLoss::Down).await.unwrap();
    ceph.osd_comes_up(OsdId(2));
    assert_eq!(ceph.down(), [(OsdId(1), OsdLoss::Dead)].into());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_tells_nothing() {
    let ceph = FakeCeph::new();
    let client = lock_of("10.0.0.1:0/7").address;
    for (mood, done) in [(Mood::Hangs, false), (Mood::Deafens, true)] {
        ceph.set_mood(mood);
        let began = Instant::now();
        let none = ceph.blocklist(&host("10.0.0.1"), Duration::from_secs(60)).await;
        assert!(matches!(none, Err(CephError::NoAnswer { .. })), "{none:?}");
        assert_eq!(began.elapsed(), Duration::from_secs(2));
        assert_eq!(ceph.shuts_out(client), done, "{mood:?}");
    }
    ceph.set_mood(Mood::Absent);
    assert!(matches!(ceph.blocklisted().await, Err(CephError::Absent { .. })));
    ceph.set_mood(Mood::Refuses);
    assert!(matches!(ceph.blocklisted().await, Err(CephError::Refused { .. })));
}
