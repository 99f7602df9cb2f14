//! The fake keeps the contract.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;

use pvc_ceph::fake::{FakeCeph, FakeDisks};
use pvc_ceph::{ClientAddress, ImageFormat, Lock, Pools};
use pvc_common::id::{DevicePath, OsdId, VolumeId};
use pvc_common::unit::Bytes;

use crate::cases;
use crate::rack::Rack;
use crate::site::Site;

#[derive(Default)]
struct Room {
    ceph: FakeCeph,
    writers: Mutex<BTreeMap<VolumeId, ClientAddress>>,
}

impl Site for Room {
    type Port = FakeCeph;

    fn port(&self) -> &FakeCeph {
        &self.ceph
    }

    fn address(&self, number: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, number)
    }

    async fn create_image(&self, image: &VolumeId) {
        self.ceph.create_image(image.clone());
    }

    async fn file(&self, format: ImageFormat, disk: &[u8]) -> Vec<u8> {
        FakeCeph::file(format, disk)
    }

    async fn file_that_refers_to(&self, base: &str) -> Vec<u8> {
        FakeCeph::file_that_refers_to(base)
    }

    async fn content(&self, image: &VolumeId, length: usize) -> Vec<u8> {
        let mut content = self.ceph.content(image);
        content.resize(length, 0);
        content
    }

    async fn writer(&self, image: &VolumeId, from: Ipv4Addr) -> bool {
        let mut writers = self.writers.lock().unwrap();
        let nonce = u32::try_from(writers.len()).unwrap() + 1;
        let address = ClientAddress { socket: SocketAddr::new(from.into(), 0), nonce };
        writers.insert(image.clone(), address);
        let (id, locker) = ("auto 1".to_owned(), format!("client.{}", 100 + nonce));
        self.ceph.lock(image.clone(), Lock { id, locker, address })
    }

    async fn lock_by_hand(&self, image: &VolumeId) {
        let address =
            ClientAddress { socket: SocketAddr::new(self.address(9).into(), 0), nonce: 9 };
        let (id, locker) = ("by hand".to_owned(), "client.9".to_owned());
        assert!(self.ceph.lock(image.clone(), Lock { id, locker, address }));
    }

    async fn still_writes(&self, image: &VolumeId) -> bool {
        let writers = self.writers.lock().unwrap();
        !self.ceph.shuts_out(writers[image])
    }

    async fn osd_last_down(&self) -> u64 {
        if self.ceph.down().contains_key(&OsdId(0)) { self.ceph.epoch().0 } else { 0 }
    }

    async fn osd_comes_back(&self) {
        self.ceph.osd_comes_up(OsdId(0));
    }
}

macro_rules! kept_by_the_fake {
    ($part:ident: $($case:ident),* $(,)?) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $case() {
                let room = Room::default();
                room.ceph.create_pool(&cases::pools::pool("vms")).await.unwrap();
                cases::$part::$case(&room).await;
            }
        )*
    };
}

kept_by_the_fake!(
    fence:
    a_host_that_is_shut_out_writes_no_more_and_others_do,
    nobody_is_let_in_that_is_not_shut_out,
    a_short_entry_is_prolonged,
    a_lock_is_taken_from_its_holder_who_is_shut_out,
    an_image_that_is_not_there_is_told,
    the_lock_of_a_host_that_is_shut_out_stays_until_it_is_taken,
    an_osd_that_is_called_lost_is_down_until_it_is_seen_to_live,
);

kept_by_the_fake!(
    pools:
    a_pool_is_made_once_and_holds_volumes,
    a_pool_that_cannot_be_is_refused,
    a_pool_that_is_not_there_is_told,
);

kept_by_the_fake!(
    volumes:
    a_volume_lives_from_its_making_to_its_removal,
    a_name_in_use_is_not_taken,
    a_volume_never_shrinks,
    a_copy_is_a_volume_of_its_own,
    a_snapshot_lives_from_its_making_to_its_removal,
    a_volume_that_is_open_is_left_as_it_is,
    a_lock_that_a_person_left_goes_with_its_volume,
    what_is_not_there_is_told,
);

kept_by_the_fake!(
    uploads:
    a_file_of_any_format_is_written_into_a_volume,
    a_file_that_breaks_off_leaves_the_volume_as_it_was,
    a_file_that_is_of_another_format_or_refers_to_others_is_told,
    no_file_is_received_for_a_volume_that_is_open,
);

kept_by_the_fake!(
    figures:
    everything_is_told_at_once,
    a_volume_is_loaded_and_measured,
);

kept_by_the_fake!(
    osds:
    a_flag_is_set_until_it_is_taken_away,
    an_osd_that_is_not_there_is_told,
    an_osd_that_serves_is_not_destroyed,
);

struct Shelf {
    ceph: FakeCeph,
    disks: FakeDisks,
}

impl Rack for Shelf {
    type Ceph = FakeCeph;
    type Disks = FakeDisks;

    fn ceph(&self) -> &FakeCeph {
        &self.ceph
    }

    fn disks(&self) -> &FakeDisks {
        &self.disks
    }

    fn disk(&self) -> DevicePath {
        "/dev/sdb".parse().unwrap()
    }

    async fn start(&self, osd: OsdId) {
        assert!(self.disks.start(osd));
    }

    async fn stop(&self, osd: OsdId) {
        self.disks.stop(osd);
    }
}

#[tokio::test(start_paused = true)]
async fn osds_are_made_by_the_fake_as_the_contract_says() {
    let ceph = FakeCeph::new();
    let disks = FakeDisks::new(ceph.clone(), false);
    let shelf = Shelf { ceph, disks };
    shelf.disks.insert(&shelf.disk(), Bytes(2 << 30));
    cases::osds::what_takes_lvm_is_refused_without(&shelf).await;
    cases::osds::an_osd_lives_from_its_making_to_its_removal(&shelf).await;
    cases::osds::an_osd_gets_the_number_of_a_destroyed_one(&shelf).await;
}
