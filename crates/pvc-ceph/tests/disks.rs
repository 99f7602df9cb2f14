//! The programs that know disks are called rightly: by stand-ins that write down how they were
//! called. With LVM nothing but that can be tested on a machine without device-mapper.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pvc_ceph::{DiskError, Disks, DisksCli, Layout};
use pvc_common::id::{DevicePath, OsdId};
use pvc_common::observed::NewOsds;
use pvc_common::state::Tier;
use pvc_common::unit::Bytes;
use tempfile::TempDir;

const PROGRAMS: [&str; 13] = [
    "ceph-bluestore-tool",
    "ceph-volume",
    "dd",
    "lsblk",
    "lvcreate",
    "lvremove",
    "lvs",
    "pvcreate",
    "pvs",
    "sgdisk",
    "vgcreate",
    "vgs",
    "wipefs",
];

/// Stand-ins, of which each is a shell's `case` over its words.
struct Programs(TempDir);

impl Programs {
    fn new(cases: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in PROGRAMS {
            let script = format!(
                "#!/bin/sh\ncd '{}'\necho \"{name} $*\" >> calls\ncase \"{name} $*\" in\n\
                 {cases}\n*) echo \"what is $*?\" >&2; exit 22;;\nesac\n",
                folder.path().display()
            );
            // By another process: see `cli.rs`.
            let mut installing = Command::new("install")
                .args(["--mode", "755", "/dev/stdin"])
                .arg(folder.path().join(name))
                .stdin(Stdio::piped())
                .spawn()
                .unwrap();
            installing.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
            assert!(installing.wait().unwrap().success());
        }
        Self(folder)
    }

    fn disks(&self, layout: Layout) -> DisksCli {
        // More than a stand-in takes on a busy machine.
        DisksCli::new(layout)
            .programs_in(self.0.path().to_str().unwrap())
            .lock(self.0.path().join("lock"))
            .limit(Duration::from_secs(30))
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.0.path().join("calls")).unwrap_or_default();
        fs::remove_file(self.0.path().join("calls")).unwrap_or_default();
        calls.lines().map(ToOwned::to_owned).collect()
    }
}

fn disk(text: &str) -> DevicePath {
    text.parse().unwrap()
}

const GROUPS: &str = r#"
"vgs "*) echo '{"report":[{"vg":[{"vg_name":"osd-db","vg_free":"2076180480"}]}]}';;
"pvs "*) echo '{"report":[{"pv":[{"pv_name":"/dev/sdc1","vg_name":"osd-db"}]}]}';;
"lvs "*) echo '{"report":[{"lv":[{"lv_name":"osd-3","vg_name":"osd-db","lv_size":"67108864"}]}]}';;
"#;

const FOUND: &str = r#"
"ceph-volume lvm list --format json") echo '{"3":[{"devices":["/dev/sdb"],"lv_name":"osd-block-c0ffee00-1111-4222-8333-444455556666","lv_size":"536870912","tags":{"ceph.cluster_fsid":"49948298-480f-42bf-82d8-2e38b7a4bdb9","ceph.osd_fsid":"c0ffee00-1111-4222-8333-444455556666","ceph.osd_id":"3"},"type":"block","vg_name":"ceph-1"}]}';;
"ceph-bluestore-tool show-label --dev "*)
    test -e label || { echo "unable to read label for $4: (2) No such file or directory" >&2; exit 1; }
    echo '{"/dev/ceph-1/osd-block-c0ffee00-1111-4222-8333-444455556666":{"osd_uuid":"c0ffee00-1111-4222-8333-444455556666","ready":"ready"}}';;
"ceph-volume "*) ;;
"lv"*) ;;
"#;

#[tokio::test]
async fn osds_are_made_on_volumes_as_many_and_with_the_numbers_that_are_wanted() {
    let programs = Programs::new(r#""ceph-volume lvm batch "*) ;;"#);
    let disks = programs.disks(Layout::Lvm);
    let osds = |count, class, ids: &[u32]| NewOsds {
        device: disk("/dev/sdb"),
        count,
        class,
        ids: ids.iter().map(|id| OsdId(*id)).collect(),
    };
    for osds in [osds(1, Tier::Ssd, &[]), osds(2, Tier::Nvme, &[3, 4]), osds(1, Tier::Default, &[])]
    {
        disks.prepare(&osds).await.unwrap();
    }
    let batch = "ceph-volume lvm batch --yes --prepare --bluestore";
    let expected = [
        format!("{batch} --crush-device-class ssd /dev/sdb"),
        format!("{batch} --osds-per-device 2 --crush-device-class nvme /dev/sdb --osd-ids 3 4"),
        format!("{batch} /dev/sdb"),
    ];
    assert_eq!(programs.calls(), expected);
}

#[tokio::test]
async fn an_osd_is_whole_once_its_own_label_says_so() {
    let programs = Programs::new(&format!("{GROUPS}{FOUND}"));
    let disks = programs.disks(Layout::Lvm);
    let found = disks.osds().await.unwrap();
    assert_eq!((found[0].id, found[0].whole), (OsdId(3), false), "a tag alone is nothing");
    fs::write(programs.0.path().join("label"), "").unwrap();
    assert!(disks.osds().await.unwrap()[0].whole);
}

#[tokio::test]
async fn a_database_is_moved_to_a_volume_that_is_made_anew() {
    let programs = Programs::new(&format!("{GROUPS}{FOUND}"));
    let disks = programs.disks(Layout::Lvm);
    let osd = disks.osds().await.unwrap().remove(0);
    programs.calls();
    let volume = "osd-db/osd-3".parse().unwrap();
    disks.add_db(&osd, &volume, Bytes(1 << 30)).await.unwrap();
    disks.activate(&osd).await.unwrap();
    let fsid = "c0ffee00-1111-4222-8333-444455556666";
    let expected = [
        format!("ceph-volume lvm activate --bluestore --no-systemd 3 {fsid}"),
        "lvremove --yes osd-db/osd-3".to_owned(),
        "lvcreate --yes --size 1024M --name osd-3 osd-db".to_owned(),
        format!("ceph-volume lvm new-db --osd-id 3 --osd-fsid {fsid} --target osd-db/osd-3"),
        format!("ceph-volume lvm activate --bluestore 3 {fsid}"),
    ];
    let mut calls = programs.calls();
    calls.retain(|call| !["vgs", "pvs", "lvs"].contains(&call.split(' ').next().unwrap()));
    assert_eq!(calls, expected);
}

#[tokio::test]
async fn a_group_for_databases_is_made_on_a_partition() {
    let programs = Programs::new("*) ;;");
    let disks = programs.disks(Layout::Lvm);
    disks.partition(&disk("/dev/sdc")).await.unwrap();
    disks.create_group("osd-db", &disk("/dev/sdc1")).await.unwrap();
    disks.zap(&disk("/dev/sdb")).await.unwrap();
    let expected = [
        "sgdisk --clear --new 1:0:0 --typecode 1:8e00 /dev/sdc",
        "pvcreate --yes --force /dev/sdc1",
        "vgcreate --yes --force osd-db /dev/sdc1",
        "ceph-volume lvm zap --destroy /dev/sdb",
    ];
    assert_eq!(programs.calls(), expected);
}

/// A daemon that is killed leaves a program behind that still makes an OSD. The next daemon must not
/// take the disk for half made meanwhile.
#[tokio::test]
async fn nothing_is_looked_at_while_a_program_of_before_still_works() {
    let programs = Programs::new(
        r#"
"ceph-volume lvm zap "*) touch begun; until test -e go; do :; done; touch ended;;
"ceph-volume lvm list "*) test -e ended || exit 1; echo '{}';;
"#,
    );
    let folder = programs.0.path().to_owned();
    let exists = |name: &str| folder.join(name).exists();
    let mut zap = Command::new("flock")
        .arg(folder.join("lock"))
        .args([folder.join("ceph-volume").to_str().unwrap(), "lvm", "zap", "/dev/sdb"])
        .spawn()
        .unwrap();
    let began = Instant::now();
    while !exists("begun") {
        assert!(began.elapsed() < Duration::from_secs(60));
        tokio::task::yield_now().await;
    }
    let short = programs.disks(Layout::Lvm).limit(Duration::from_secs(1));
    let busy = short.osds().await;
    assert!(matches!(busy, Err(DiskError::Busy { .. })), "{busy:?}");
    let disks = programs.disks(Layout::Lvm);
    let (found, ()) =
        tokio::join!(disks.osds(), async { fs::write(folder.join("go"), "").unwrap() });
    assert_eq!(found.unwrap(), []);
    assert!(zap.wait().unwrap().success());
}

#[tokio::test]
async fn what_goes_wrong_is_told_by_its_kind() {
    let programs = Programs::new(
        r#"
"ceph-volume lvm zap "*) printf 'Running command: x\n-->  RuntimeError: device is busy\n' >&2; exit 1;;
"ceph-volume lvm list "*) echo nonsense;;
"lsblk "*) exec sleep 600;;
"#,
    );
    let disks = programs.disks(Layout::Lvm);
    let refused = disks.zap(&disk("/dev/sdb")).await.unwrap_err();
    let said = "`ceph-volume lvm zap --destroy /dev/sdb` failed: RuntimeError: device is busy";
    assert_eq!(refused.to_string(), said);
    let unreadable = disks.osds().await;
    assert!(matches!(unreadable, Err(DiskError::Unreadable { .. })), "{unreadable:?}");
    let late = disks.clone().limit(Duration::from_secs(1)).device(&disk("/dev/sdb")).await;
    assert!(matches!(late, Err(DiskError::NoAnswer { .. })), "{late:?}");
    let absent = disks.programs_in("/nonexistent").zap(&disk("/dev/sdb")).await;
    assert!(matches!(absent, Err(DiskError::Absent { program: "ceph-volume" })), "{absent:?}");
}
