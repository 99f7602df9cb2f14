//! Ceph's own programs, on a real cluster, keep the contract.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use pvc_ceph::{Ceph, CephCli, DisksCli, ImageFormat, Layout};
use pvc_common::id::{DevicePath, OsdId, VolumeId};

use crate::cases;
use crate::cluster::Cluster;
use crate::machine::Machine;
use crate::rack::Rack;
use crate::site::Site;
use crate::space;

/// A busy machine takes its time to start a program.
const LIMIT: Duration = Duration::from_secs(60);

struct Room {
    cluster: Cluster,
    port: CephCli,
    writers: Mutex<BTreeMap<VolumeId, Child>>,
}

impl Room {
    fn new() -> Self {
        let cluster = Cluster::start();
        let port =
            CephCli::new().conf(cluster.conf()).programs_in(&cluster.programs()).limit(LIMIT);
        Self { cluster, port, writers: Mutex::default() }
    }

    /// The OSD, by Ceph's map.
    fn osd(&self) -> serde_json::Value {
        let map = self.cluster.tool("ceph", &["osd", "dump", "--format", "json"]);
        serde_json::from_str::<serde_json::Value>(&map).unwrap()["osds"][0].clone()
    }

    /// Ends the writers of a case, which would take their time from the next.
    fn rest(&self) {
        for writer in self.writers.lock().unwrap().values_mut() {
            writer.kill().unwrap();
            writer.wait().unwrap();
        }
    }

    fn has_ended(&self, image: &VolumeId) -> bool {
        let mut writers = self.writers.lock().unwrap();
        writers.get_mut(image).unwrap().try_wait().unwrap().is_some()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.rest();
    }
}

impl Site for Room {
    type Port = CephCli;

    fn port(&self) -> &CephCli {
        &self.port
    }

    fn address(&self, number: u8) -> Ipv4Addr {
        space::address(number)
    }

    async fn create_image(&self, image: &VolumeId) {
        self.cluster.tool("rbd", &["create", "--size", "64M", &image.to_string()]);
    }

    async fn file(&self, format: ImageFormat, disk: &[u8]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let [raw, made] = ["raw", "made"].map(|name| folder.path().join(name));
        std::fs::write(&raw, disk).unwrap();
        let mut convert = Command::new("qemu-img");
        convert.args(["convert", "-f", "raw", "-O", format.text()]).args([&raw, &made]);
        assert!(convert.status().unwrap().success());
        std::fs::read(&made).unwrap()
    }

    async fn file_that_refers_to(&self, base: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("made");
        let mut create = Command::new("qemu-img");
        create.args(["create", "-q", "-f", "qcow2", "-u", "-F", "raw", "-b", base]).arg(&made);
        assert!(create.arg("1M").status().unwrap().success());
        std::fs::read(&made).unwrap()
    }

    async fn content(&self, image: &VolumeId, length: usize) -> Vec<u8> {
        let mut export = self.cluster.command(&self.cluster.spaces.enter(), "rbd");
        let exported = export.args(["export", "--no-progress", &image.to_string(), "-"]).output();
        let mut content = exported.unwrap().stdout;
        assert!(content.len() >= length);
        content.truncate(length);
        content
    }

    async fn writer(&self, image: &VolumeId, from: Ipv4Addr) -> bool {
        let before = self.port.locks(image).await.unwrap();
        let mut enter = self.cluster.spaces.enter_as(from);
        // It writes as fast as it can, and must not take the machine from the Ceph that it writes to.
        enter.extend(["nice", "-n", "19"].map(str::to_owned));
        let writer = self
            .cluster
            .command(&enter, "rbd")
            .args(["bench", "--io-type", "write", "--io-total", "1T", "--io-threads", "1"])
            .arg(image.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let former = self.writers.lock().unwrap().insert(image.clone(), writer);
        if let Some(mut former) = former {
            former.kill().unwrap();
            former.wait().unwrap();
        }
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < LIMIT, "the writer neither locks nor ends");
            if self.has_ended(image) {
                return false;
            }
            let locks = self.port.locks(image).await.unwrap();
            if locks != before && locks.iter().any(|lock| lock.address.socket.ip() == from) {
                return true;
            }
        }
    }

    async fn lock_by_hand(&self, image: &VolumeId) {
        let mut lock = self.cluster.command(&self.cluster.spaces.enter(), "rbd");
        assert!(
            lock.args(["lock", "add", &image.to_string(), "by hand"]).status().unwrap().success()
        );
    }

    async fn still_writes(&self, image: &VolumeId) -> bool {
        // A client that is shut out is told so by the next answer to what it writes.
        for _ in 0..30 {
            if self.has_ended(image) {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        true
    }

    async fn osd_last_down(&self) -> u64 {
        self.osd()["down_at"].as_u64().unwrap()
    }

    async fn osd_comes_back(&self) {
        let began = Instant::now();
        while self.osd()["up"] != 1 {
            assert!(began.elapsed() < LIMIT, "the OSD does not come back");
        }
    }
}

/// Whether the real thing is to be left out; fails if it is wanted but cannot be.
fn left_out() -> bool {
    if std::env::var_os("PVC_TEST_NO_SERVICES").is_some_and(|value| value == "1") {
        return true;
    }
    let drivers = Path::new("/usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH));
    for program in ["ceph-mon", "ceph-mgr", "ceph-osd", "fio", "qemu-img", "rbd", "udevadm"]
        .map(|program| Path::new("/usr/bin").join(program))
        .into_iter()
        .chain([drivers.join("qemu/block-rbd.so")])
    {
        assert!(
            program.exists(),
            "{} is missing: apt-get install ceph-common ceph-mgr ceph-mon ceph-osd fio \
             qemu-block-extra qemu-utils udev, or set PVC_TEST_NO_SERVICES=1",
            program.display()
        );
    }
    false
}

/// Cases share a cluster: starting one takes longer than they do.
macro_rules! kept_by_ceph {
    ($test:ident: $($part:ident::$case:ident),* $(,)?) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            if left_out() {
                return;
            }
            let room = Room::new();
            $(
                println!("{}", stringify!($case));
                cases::$part::$case(&room).await;
                room.rest();
            )*
        }
    };
}

kept_by_ceph!(
    ceph_fences_as_the_contract_says:
    osds::an_osd_that_serves_is_not_destroyed,
    fence::nobody_is_let_in_that_is_not_shut_out,
    fence::a_host_that_is_shut_out_writes_no_more_and_others_do,
    fence::a_short_entry_is_prolonged,
    fence::a_lock_is_taken_from_its_holder_who_is_shut_out,
    fence::an_image_that_is_not_there_is_told,
    fence::the_lock_of_a_host_that_is_shut_out_stays_until_it_is_taken,
    fence::an_osd_that_is_called_lost_is_down_until_it_is_seen_to_live,
);

kept_by_ceph!(
    ceph_keeps_data_as_the_contract_says:
    figures::everything_is_told_at_once,
    figures::a_volume_is_loaded_and_measured,
    osds::a_flag_is_set_until_it_is_taken_away,
    osds::an_osd_that_is_not_there_is_told,
    pools::a_pool_is_made_once_and_holds_volumes,
    pools::a_pool_that_cannot_be_is_refused,
    pools::a_pool_that_is_not_there_is_told,
    volumes::a_volume_lives_from_its_making_to_its_removal,
    volumes::a_name_in_use_is_not_taken,
    volumes::a_volume_never_shrinks,
    volumes::a_copy_is_a_volume_of_its_own,
    volumes::a_snapshot_lives_from_its_making_to_its_removal,
    volumes::a_volume_that_is_open_is_left_as_it_is,
    volumes::a_lock_that_a_person_left_goes_with_its_volume,
    volumes::what_is_not_there_is_told,
);

kept_by_ceph!(
    ceph_fills_volumes_as_the_contract_says:
    uploads::a_file_of_any_format_is_written_into_a_volume,
    uploads::a_file_that_breaks_off_leaves_the_volume_as_it_was,
    uploads::a_file_that_is_of_another_format_or_refers_to_others_is_told,
    uploads::no_file_is_received_for_a_volume_that_is_open,
);

struct Shelf {
    // Before the cluster, whose namespace it is in.
    machine: Machine,
    disks: DisksCli,
    room: Room,
}

impl Rack for Shelf {
    type Ceph = CephCli;
    type Disks = DisksCli;

    fn ceph(&self) -> &CephCli {
        &self.room.port
    }

    fn disks(&self) -> &DisksCli {
        &self.disks
    }

    fn disk(&self) -> DevicePath {
        self.machine.disk().clone()
    }

    async fn start(&self, osd: OsdId) {
        self.machine.start(osd);
    }

    async fn stop(&self, osd: OsdId) {
        self.machine.stop(osd);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn osds_are_made_as_the_contract_says() {
    if left_out() {
        return;
    }
    let room = Room::new();
    let machine = Machine::new(&room.cluster);
    let lock = room.cluster.folder().join("lock");
    let disks = DisksCli::new(Layout::Raw).programs_in(machine.programs()).lock(lock).limit(LIMIT);
    let shelf = Shelf { machine, disks, room };
    cases::osds::what_takes_lvm_is_refused_without(&shelf).await;
    cases::osds::an_osd_lives_from_its_making_to_its_removal(&shelf).await;
    cases::osds::an_osd_gets_the_number_of_a_destroyed_one(&shelf).await;
}
