//! Pools.

use pvc_ceph::{CephError, NewPool, Pools, Volumes};
use pvc_common::id::PoolName;
use pvc_common::state::Tier;
use pvc_common::unit::Bytes;

use crate::site::Site;

/// A small pool.
pub(crate) fn pool(name: &str) -> NewPool {
    NewPool {
        name: name.parse().unwrap(),
        pgs: 4,
        replication: "copies=1,mincopies=1".parse().unwrap(),
        tier: Tier::Default,
    }
}

pub(crate) async fn a_pool_is_made_once_and_holds_volumes(site: &impl Site) {
    let pool = pool("made");
    for _ in 0..2 {
        site.port().create_pool(&pool).await.unwrap();
    }
    let named = site.port().pools().await.unwrap();
    assert_eq!(named.iter().filter(|name| **name == pool.name).count(), 1, "{named:?}");
    let volume = "made/a".parse().unwrap();
    site.port().create_volume(&volume, Bytes(1 << 20)).await.unwrap();
    site.port().set_pgs(&pool.name, 8).await.unwrap();
    for _ in 0..2 {
        site.port().remove_pool(&pool.name).await.unwrap();
    }
    assert!(!site.port().pools().await.unwrap().contains(&pool.name));
    let gone = site.port().volume(&volume).await;
    assert!(matches!(gone, Err(CephError::NoImage { .. })), "{gone:?}");
}

pub(crate) async fn a_pool_that_cannot_be_is_refused(site: &impl Site) {
    let unlike = NewPool { tier: Tier::Nvme, ..pool("unlike") };
    let refused = site.port().create_pool(&unlike).await;
    assert!(matches!(refused, Err(CephError::Refused { .. })), "{refused:?}");
    let huge = NewPool { pgs: 1_000_000, ..pool("huge") };
    let refused = site.port().create_pool(&huge).await;
    assert!(matches!(refused, Err(CephError::Refused { .. })), "{refused:?}");
    let pools = site.port().pools().await.unwrap();
    assert!(!pools.iter().any(|name| ["unlike", "huge"].contains(&name.as_str())), "{pools:?}");
}

pub(crate) async fn a_pool_that_is_not_there_is_told(site: &impl Site) {
    let none: PoolName = "none".parse().unwrap();
    let answer = site.port().set_pgs(&none, 8).await;
    assert!(matches!(answer, Err(CephError::NoPool { .. })), "{answer:?}");
    let answer = site.port().volumes(&none).await;
    assert!(matches!(answer, Err(CephError::NoPool { .. })), "{answer:?}");
}
