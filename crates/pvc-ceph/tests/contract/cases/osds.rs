//! OSDs, as the cluster and as the machine know them.

use pvc_ceph::{CephError, DiskError, Disks, Osds, Statistics};
use pvc_common::id::{LvName, NodeName, OsdId};
use pvc_common::observed::{FoundOsd, MappedOsd, NewOsds, Safety};
use pvc_common::state::{OsdFlag, Tier};
use pvc_common::unit::Bytes;

use crate::rack::Rack;
use crate::site::Site;

/// A real cluster takes a third of a second for each look, and seconds until it has noticed.
const LOOKS: u32 = 400;

pub(crate) async fn a_flag_is_set_until_it_is_taken_away(site: &impl Site) {
    for flag in [OsdFlag::NoOut, OsdFlag::Pause] {
        for wanted in [true, true, false, false] {
            site.port().set_flag(flag, wanted).await.unwrap();
            let flags = site.port().osd_map().await.unwrap().flags;
            assert_eq!(flags.contains(&flag), wanted, "{flag:?}");
        }
    }
}

pub(crate) async fn an_osd_that_is_not_there_is_told(site: &impl Site) {
    let (port, none) = (site.port(), OsdId(77));
    let host: NodeName = "hv1".parse().unwrap();
    for answer in [
        port.set_in(none, true).await,
        port.set_in(none, false).await,
        port.place_osd(none, &host, "1".parse().unwrap()).await,
    ] {
        assert!(matches!(answer, Err(CephError::NoOsd { osd: OsdId(77) })), "{answer:?}");
    }
    port.set_down(none).await.unwrap();
    port.destroy_osd(none, false).await.unwrap();
    port.purge_osd(none, false).await.unwrap();
    assert_eq!(port.safe_to_destroy(&[none]).await.unwrap(), Safety::Safe);
    assert_eq!(port.safe_to_destroy(&[]).await.unwrap(), Safety::Safe);
}

pub(crate) async fn an_osd_that_serves_is_not_destroyed(site: &impl Site) {
    let (port, osd) = (site.port(), OsdId(0));
    assert!(matches!(port.safe_to_destroy(&[osd]).await.unwrap(), Safety::AtRisk { .. }));
    assert!(matches!(port.ok_to_stop(&[osd]).await.unwrap(), Safety::AtRisk { .. }));
    for force in [false, true] {
        for answer in [port.destroy_osd(osd, force).await, port.purge_osd(osd, force).await] {
            assert!(matches!(answer, Err(CephError::Refused { .. })), "{answer:?}");
        }
    }
    let known = port.osd_map().await.unwrap().osds.remove(&osd).unwrap();
    assert!(known.up && known.is_in && !known.new && !known.is_destroyed());
}

async fn known(rack: &impl Rack, osd: OsdId) -> Option<MappedOsd> {
    rack.ceph().osd_map().await.unwrap().osds.remove(&osd)
}

/// Looks until the cluster says so of an OSD.
async fn until(rack: &impl Rack, osd: OsdId, what: &str, holds: fn(&MappedOsd) -> bool) {
    for _ in 0..LOOKS {
        if known(rack, osd).await.is_some_and(|known| holds(&known)) {
            return;
        }
    }
    panic!("in vain: OSD {osd} {what}; it is {:?}", known(rack, osd).await);
}

/// Makes an OSD of the disk, and tells what is found then.
async fn made(rack: &impl Rack, ids: Vec<OsdId>) -> FoundOsd {
    let blank = rack.disks().device(&rack.disk()).await.unwrap().unwrap();
    assert!(blank.is_blank() && blank.size == Bytes(2 << 30), "{blank:?}");
    let osds = NewOsds { device: blank.path, count: 1, class: Tier::Ssd, ids };
    rack.disks().prepare(&osds).await.unwrap();
    let mut found = rack.disks().osds().await.unwrap();
    found.retain(|osd| osd.device == rack.disk());
    let [osd] = &found[..] else { panic!("one OSD: {found:?}") };
    assert!(osd.whole && osd.size == Bytes(2 << 30), "{osd:?}");
    assert!(!rack.disks().device(&rack.disk()).await.unwrap().unwrap().is_blank());
    osd.clone()
}

pub(crate) async fn an_osd_lives_from_its_making_to_its_removal(rack: &impl Rack) {
    let osd = made(rack, vec![]).await;
    let id = osd.id;
    let map = rack.ceph().osd_map().await.unwrap();
    assert_eq!(osd.cluster, map.cluster);
    let fresh = &map.osds[&id];
    assert!(fresh.new && !fresh.up && fresh.fsid == Some(osd.fsid) && fresh.host.is_none());

    let host: NodeName = "hv7".parse().unwrap();
    // As small as the other OSD: CRUSH hardly finds one beside another that is far larger, and out.
    for (host, weight) in [("hv8", "0.0005"), ("hv7", "0.001"), ("hv7", "0.001")] {
        let (host, weight): (NodeName, _) = (host.parse().unwrap(), weight.parse().unwrap());
        rack.ceph().place_osd(id, &host, weight).await.unwrap();
        let known = known(rack, id).await.unwrap();
        assert_eq!((known.host.as_deref(), known.weight), (Some(host.as_str()), weight));
    }
    for _ in 0..2 {
        rack.disks().activate(&osd).await.unwrap();
    }
    rack.start(id).await;
    until(rack, id, "is up and in", |it| it.up && it.is_in && !it.new).await;
    let told = rack.ceph().figures().await.unwrap().osds[&id].clone();
    assert!(told.text().contains("\"up\":1"), "{}", told.text());
    assert_eq!(known(rack, id).await.unwrap().host, Some(host.to_string()), "where it was put");

    for _ in 0..2 {
        rack.ceph().set_in(id, false).await.unwrap();
    }
    assert!(rack.ceph().destroy_osd(id, true).await.is_err(), "it is up");
    let mut looks = 0..LOOKS;
    while rack.ceph().safe_to_destroy(&[id]).await.unwrap() != Safety::Safe {
        assert!(looks.next().is_some(), "its data is never elsewhere");
    }
    rack.stop(id).await;
    rack.ceph().set_down(id).await.unwrap();
    until(rack, id, "is down", |it| !it.up).await;
    for _ in 0..2 {
        rack.ceph().destroy_osd(id, false).await.unwrap();
        let left = known(rack, id).await.unwrap();
        assert!(left.is_destroyed() && left.host.is_some(), "its place is kept: {left:?}");
    }
    wiped(rack).await;
}

/// After [`an_osd_lives_from_its_making_to_its_removal`], which leaves a number to be used again.
pub(crate) async fn an_osd_gets_the_number_of_a_destroyed_one(rack: &impl Rack) {
    let destroyed = rack.ceph().osd_map().await.unwrap().osds;
    let destroyed = destroyed.into_iter().find(|(_, osd)| osd.is_destroyed());
    let (id, former) = destroyed.unwrap();
    let osd = made(rack, vec![id]).await;
    assert_eq!(osd.id, id);
    let now = known(rack, id).await.unwrap();
    assert_eq!((now.fsid, now.host, now.new), (Some(osd.fsid), former.host, true));
    let again = NewOsds { device: rack.disk(), count: 1, class: Tier::Ssd, ids: vec![] };
    let before = rack.ceph().osd_map().await.unwrap();
    // What `ceph-volume` does then is its own affair, as long as it does nothing.
    drop(rack.disks().prepare(&again).await);
    assert_eq!(rack.ceph().osd_map().await.unwrap(), before);
    for _ in 0..2 {
        rack.ceph().purge_osd(id, false).await.unwrap();
        assert_eq!(known(rack, id).await, None);
    }
    wiped(rack).await;
}

async fn wiped(rack: &impl Rack) {
    for _ in 0..2 {
        rack.disks().zap(&rack.disk()).await.unwrap();
        assert!(rack.disks().device(&rack.disk()).await.unwrap().unwrap().is_blank());
    }
    assert_eq!(rack.disks().osds().await.unwrap(), []);
}

pub(crate) async fn what_takes_lvm_is_refused_without(rack: &impl Rack) {
    let (disks, disk) = (rack.disks(), rack.disk());
    let db: LvName = "osd-db/osd-1".parse().unwrap();
    let two = NewOsds { device: disk.clone(), count: 2, class: Tier::Ssd, ids: vec![] };
    assert!(!disks.lvm());
    assert_eq!(disks.volume_group("osd-db").await.unwrap(), None);
    for answer in [
        disks.prepare(&two).await,
        disks.remove_volume(&db).await,
        disks.partition(&disk).await,
        disks.create_group("osd-db", &disk).await,
    ] {
        assert!(matches!(answer, Err(DiskError::TakesLvm { .. })), "{answer:?}");
    }
    assert!(disks.device(&disk).await.unwrap().unwrap().is_blank());
    assert_eq!(disks.device(&"/dev/none".parse().unwrap()).await.unwrap(), None);
    let none = disks.find(&"detect:NO SUCH DISK:9.9EB:0".parse().unwrap()).await;
    assert!(matches!(none, Err(DiskError::NoDisk { .. })), "{none:?}");
}
