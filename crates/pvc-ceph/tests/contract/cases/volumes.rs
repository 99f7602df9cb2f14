//! Volumes and their snapshots.

use pvc_ceph::{Ceph, CephError, Volumes};
use pvc_common::id::{PoolName, SnapshotId, VolumeId};
use pvc_common::unit::Bytes;

use crate::site::Site;

const MIB: u64 = 1 << 20;

fn volume(name: &str) -> VolumeId {
    format!("vms/{name}").parse().unwrap()
}

fn snapshot(of: &VolumeId, name: &str) -> SnapshotId {
    format!("{of}@{name}").parse().unwrap()
}

pub(crate) async fn a_volume_lives_from_its_making_to_its_removal(site: &impl Site) {
    let (pool, made): (PoolName, _) = ("vms".parse().unwrap(), volume("lives"));
    site.port().create_volume(&made, Bytes(9 * MIB)).await.unwrap();
    let image = site.port().volume(&made).await.unwrap();
    assert_eq!(image.size, Bytes(9 * MIB));
    assert!(image.info.text().contains(&format!("\"size\":{}", 9 * MIB)));
    site.port().grow_volume(&made, Bytes(16 * MIB)).await.unwrap();
    assert_eq!(site.port().volume(&made).await.unwrap().size, Bytes(16 * MIB));
    site.port().rename_volume(&made, &"renamed".parse().unwrap()).await.unwrap();
    let renamed = volume("renamed");
    assert_eq!(site.port().volume(&renamed).await.unwrap().id, image.id, "the same image");
    assert!(matches!(site.port().volume(&made).await, Err(CephError::NoImage { .. })));
    let names = site.port().volumes(&pool).await.unwrap();
    assert!(names.contains(&renamed.volume) && !names.contains(&made.volume), "{names:?}");
    for _ in 0..2 {
        site.port().remove_volume(&renamed).await.unwrap();
    }
    assert!(!site.port().volumes(&pool).await.unwrap().contains(&renamed.volume));
}

pub(crate) async fn a_name_in_use_is_not_taken(site: &impl Site) {
    let (one, other) = (volume("one"), volume("other"));
    for (volume, size) in [(&one, MIB), (&other, 2 * MIB)] {
        site.port().create_volume(volume, Bytes(size)).await.unwrap();
    }
    for answer in [
        site.port().create_volume(&other, Bytes(MIB)).await,
        site.port().rename_volume(&one, &other.volume).await,
        site.port().copy_volume(&one, &other.volume).await,
    ] {
        let Err(CephError::Exists { what }) = &answer else { panic!("{answer:?}") };
        assert_eq!(*what, other.to_string());
    }
    assert_eq!(site.port().volume(&other).await.unwrap().size, Bytes(2 * MIB));
    assert!(site.port().volume(&one).await.is_ok());
}

pub(crate) async fn a_volume_never_shrinks(site: &impl Site) {
    let volume = volume("shrinks");
    site.port().create_volume(&volume, Bytes(8 * MIB)).await.unwrap();
    let answer = site.port().grow_volume(&volume, Bytes(4 * MIB)).await;
    assert!(matches!(answer, Err(CephError::Shrinks { .. })), "{answer:?}");
    site.port().grow_volume(&volume, Bytes(8 * MIB)).await.unwrap();
    assert_eq!(site.port().volume(&volume).await.unwrap().size, Bytes(8 * MIB));
}

pub(crate) async fn a_copy_is_a_volume_of_its_own(site: &impl Site) {
    let (source, copy) = (volume("source"), volume("copy"));
    site.port().create_volume(&source, Bytes(8 * MIB)).await.unwrap();
    site.port().copy_volume(&source, &copy.volume).await.unwrap();
    let [old, new] =
        [site.port().volume(&source).await.unwrap(), site.port().volume(&copy).await.unwrap()];
    assert_eq!(old.size, new.size);
    assert_ne!(old.id, new.id);
    site.port().remove_volume(&source).await.unwrap();
    assert!(site.port().volume(&copy).await.is_ok());
    let names = site.port().volumes(&copy.pool).await.unwrap();
    assert!(!names.iter().any(|name| name.as_str().contains("unfinished")), "{names:?}");
}

pub(crate) async fn a_snapshot_lives_from_its_making_to_its_removal(site: &impl Site) {
    let volume = volume("snapped");
    site.port().create_volume(&volume, Bytes(8 * MIB)).await.unwrap();
    let (first, second) = (snapshot(&volume, "first"), snapshot(&volume, "second"));
    site.port().create_snapshot(&first).await.unwrap();
    site.port().grow_volume(&volume, Bytes(16 * MIB)).await.unwrap();
    assert_eq!(site.port().snapshot(&first).await.unwrap().size, Bytes(8 * MIB));
    site.port().create_snapshot(&second).await.unwrap();
    for answer in [
        site.port().create_snapshot(&second).await,
        site.port().rename_snapshot(&first, &second.snapshot).await,
    ] {
        let Err(CephError::Exists { what }) = &answer else { panic!("{answer:?}") };
        assert_eq!(*what, second.to_string());
    }
    site.port().rename_snapshot(&second, &"third".parse().unwrap()).await.unwrap();
    let names = site.port().snapshots(&volume).await.unwrap();
    assert_eq!(names, ["first", "third"].map(|name| name.parse().unwrap()));
    site.port().roll_back(&first).await.unwrap();
    assert_eq!(site.port().volume(&volume).await.unwrap().size, Bytes(8 * MIB));
    for _ in 0..2 {
        site.port().remove_snapshot(&first).await.unwrap();
    }
    assert_eq!(site.port().snapshots(&volume).await.unwrap().len(), 1);
    site.port().remove_volume(&volume).await.unwrap();
    assert!(matches!(site.port().snapshots(&volume).await, Err(CephError::NoImage { .. })));
}

pub(crate) async fn a_volume_that_is_open_is_left_as_it_is(site: &impl Site) {
    let volume = volume("open");
    site.create_image(&volume).await;
    let before = snapshot(&volume, "before");
    site.port().create_snapshot(&before).await.unwrap();
    assert!(site.writer(&volume, site.address(7)).await);
    for answer in [site.port().remove_volume(&volume).await, site.port().roll_back(&before).await] {
        assert!(matches!(answer, Err(CephError::InUse { .. })), "{answer:?}");
    }
    assert_eq!(site.port().snapshots(&volume).await.unwrap().len(), 1);
    site.port().grow_volume(&volume, Bytes(128 * MIB)).await.unwrap();
    site.port().create_snapshot(&snapshot(&volume, "during")).await.unwrap();
    assert!(site.still_writes(&volume).await);
}

pub(crate) async fn what_is_not_there_is_told(site: &impl Site) {
    let port = site.port();
    let (none, lost) = (volume("none"), volume("lost"));
    let name = || "name".parse().unwrap();
    for answer in [
        port.volume(&none).await.map(drop),
        port.grow_volume(&none, Bytes(MIB)).await,
        port.rename_volume(&none, &name()).await,
        port.copy_volume(&none, &name()).await,
        port.snapshots(&none).await.map(drop),
        port.snapshot(&snapshot(&none, "a")).await.map(drop),
        port.create_snapshot(&snapshot(&none, "a")).await,
        port.remove_snapshot(&snapshot(&none, "a")).await,
        port.roll_back(&snapshot(&none, "a")).await,
    ] {
        assert!(matches!(answer, Err(CephError::NoImage { .. })), "{answer:?}");
    }
    port.create_volume(&lost, Bytes(MIB)).await.unwrap();
    for answer in [
        port.snapshot(&snapshot(&lost, "a")).await.map(drop),
        port.rename_snapshot(&snapshot(&lost, "a"), &"b".parse().unwrap()).await,
        port.roll_back(&snapshot(&lost, "a")).await,
    ] {
        assert!(matches!(answer, Err(CephError::NoSnapshot { .. })), "{answer:?}");
    }
    let elsewhere = port.create_volume(&"none/a".parse().unwrap(), Bytes(MIB)).await;
    assert!(matches!(elsewhere, Err(CephError::NoPool { .. })), "{elsewhere:?}");
}

pub(crate) async fn a_lock_that_a_person_left_goes_with_its_volume(site: &impl Site) {
    let volume: VolumeId = "vms/locked-by-hand".parse().unwrap();
    site.create_image(&volume).await;
    site.lock_by_hand(&volume).await;
    assert_eq!(site.port().locks(&volume).await.unwrap().len(), 1);
    site.port().remove_volume(&volume).await.unwrap();
    let gone = site.port().volume(&volume).await;
    assert!(matches!(gone, Err(CephError::NoImage { .. })), "{gone:?}");
}
