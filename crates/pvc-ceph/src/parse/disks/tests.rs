//! Where a text is captured, it is of Debian 12: ceph-volume 16.2.15, LVM 2.03.16, util-linux 2.38,
//! with what does not matter left out.

use super::*;

fn path(text: &str) -> DevicePath {
    text.parse().unwrap()
}

/// Captured. A blank disk, and one that is the root of the machine.
#[test]
fn a_device_has_a_size_and_places_where_it_is_mounted() {
    let blank = r#"{ "blockdevices": [ { "path": "/dev/loop0", "type": "loop", "size": 2147483648,
        "rota": true, "mountpoints": [ null ], "fstype": null, "pttype": null } ] }"#;
    let device = block_device(blank).unwrap();
    assert_eq!((&device.path, device.size), (&path("/dev/loop0"), Bytes(2 << 30)));
    assert!(device.is_blank());
    let root = r#"{ "blockdevices": [ { "path": "/dev/vda", "type": "disk", "size": 274877906944,
        "mountpoints": [ "/run/netns", "/" ] } ] }"#;
    assert_eq!(block_device(root).unwrap().contents(), "mounted at /run/netns, /");
    for bad in ["", "{}", r#"{ "blockdevices": [ ] }"#] {
        assert_eq!(block_device(bad), None, "{bad}");
    }
}

/// Written after the manual, for want of a disk with partitions.
#[test]
fn the_parts_of_a_device_are_seen_at_any_remove() {
    let parts = r#"{ "blockdevices": [ { "path": "/dev/sdb", "size": 4096, "mountpoints": [null],
        "children": [
          { "path": "/dev/sdb1", "size": 1024, "mountpoints": [null],
            "children": [ { "path": "/dev/mapper/vg-lv", "size": 512, "mountpoints": ["/srv"] } ] },
          { "path": "/dev/sdb2", "size": 1024, "mountpoints": ["[SWAP]"] } ] } ] }"#;
    let device = block_device(parts).unwrap();
    let contents = "with /dev/mapper/vg-lv, /dev/sdb1, /dev/sdb2, mounted at /srv, [SWAP]";
    assert_eq!(device.contents(), contents);
    assert!(!device.is_blank());
}

/// Captured.
#[test]
fn what_is_written_on_a_device_is_told_by_name() {
    let none = "{\n   \"signatures\": [\n\n   ]\n}\n";
    let table = r#"{ "signatures": [
        { "device": "loop1", "offset": "0x200", "type": "gpt", "uuid": null, "label": null },
        { "device": "loop1", "offset": "0x7ffffe00", "type": "gpt", "uuid": null, "label": null },
        { "device": "loop1", "offset": "0x1fe", "type": "PMBR", "uuid": null, "label": null } ] }"#;
    let osd = r#"{ "signatures": [ { "device": "loop0", "offset": "0x0", "type": "ceph_bluestore",
        "uuid": null, "label": null } ] }"#;
    let named = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(signatures(none), named(&[]));
    assert_eq!(signatures(table), named(&["PMBR", "gpt"]));
    assert_eq!(signatures(osd), named(&["ceph_bluestore"]));
    assert_eq!(signatures("wipefs: error"), None);
}

/// Captured from `ceph-volume lvm list --format json`. Its source were real volumes with the tags
/// that `ceph-volume lvm prepare` gives, which were set by hand: the machine could not activate
/// logical volumes. OSDs 3 and 4 share a disk, and 4 has its database elsewhere.
const LVM_LIST: &str = r#"{
    "3": [ { "devices": [ "/dev/loop1" ],
        "lv_name": "osd-block-c0ffee00-1111-4222-8333-444455556666",
        "lv_path": "/dev/ceph-0b4f9f2c-6f0f-4e0c-b6f1-6d1d1f0ac001/osd-block-c0ffee00-1111-4222-8333-444455556666",
        "lv_size": "536870912",
        "lv_uuid": "y9Uz0o-O91A-m3qL-8dGr-9XkC-jlpQ-vSGkT0",
        "name": "osd-block-c0ffee00-1111-4222-8333-444455556666",
        "path": "/dev/ceph-0b4f9f2c-6f0f-4e0c-b6f1-6d1d1f0ac001/osd-block-c0ffee00-1111-4222-8333-444455556666",
        "tags": {
            "ceph.block_device": "/dev/ceph-0b4f9f2c-6f0f-4e0c-b6f1-6d1d1f0ac001/osd-block-c0ffee00-1111-4222-8333-444455556666",
            "ceph.cephx_lockbox_secret": "",
            "ceph.cluster_fsid": "49948298-480f-42bf-82d8-2e38b7a4bdb9",
            "ceph.cluster_name": "ceph", "ceph.crush_device_class": "ssd", "ceph.encrypted": "0",
            "ceph.osd_fsid": "c0ffee00-1111-4222-8333-444455556666", "ceph.osd_id": "3",
            "ceph.type": "block", "ceph.vdo": "0" },
        "type": "block", "vg_name": "ceph-0b4f9f2c-6f0f-4e0c-b6f1-6d1d1f0ac001" } ],
    "4": [ { "devices": [ "/dev/loop1" ],
        "lv_name": "osd-block-c0ffee01-1111-4222-8333-444455556666",
        "lv_path": "/dev/ceph-0b4f9f2c-6f0f-4e0c-b6f1-6d1d1f0ac001/osd-block-c0ffee01-1111-4222-8333-444455556666",
        "lv_size": "536870912",
        "lv_uuid": "JhZ18j-HY6A-7re3-tqqd-JYHg-MtLE-P6uqc8",
        "tags": { "ceph.cluster_fsid": "49948298-480f-42bf-82d8-2e38b7a4bdb9",
            "ceph.db_device": "/dev/osd-db/osd-4",
            "ceph.osd_fsid": "c0ffee01-1111-4222-8333-444455556666", "ceph.osd_id": "4",
            "ceph.type": "block", "ceph.vdo": "0" },
        "type": "block", "vg_name": "ceph-0b4f9f2c-6f0f-4e0c-b6f1-6d1d1f0ac001" },
      { "devices": [ "/dev/loop0" ], "lv_name": "osd-4", "lv_path": "/dev/osd-db/osd-4",
        "lv_size": "67108864", "lv_uuid": "gnYHg0-TQcl-alsd-DYxi-vW1P-BXRV-ePhBDX",
        "tags": { "ceph.cluster_fsid": "49948298-480f-42bf-82d8-2e38b7a4bdb9",
            "ceph.db_device": "/dev/osd-db/osd-4",
            "ceph.osd_fsid": "c0ffee01-1111-4222-8333-444455556666", "ceph.osd_id": "4",
            "ceph.type": "db", "ceph.vdo": "0" },
        "type": "db", "vg_name": "osd-db" } ]
}"#;

#[test]
fn osds_on_logical_volumes_are_found_with_their_databases() {
    let found = lvm_osds(LVM_LIST).unwrap();
    let group = "ceph-0b4f9f2c-6f0f-4e0c-b6f1-6d1d1f0ac001";
    let osd = |id, fsid: &str, db: Option<&str>| FoundOsd {
        id: OsdId(id),
        fsid: fsid.parse().unwrap(),
        cluster: "49948298-480f-42bf-82d8-2e38b7a4bdb9".parse().unwrap(),
        device: path("/dev/loop1"),
        volume: Some(format!("{group}/osd-block-{fsid}").parse().unwrap()),
        db: db.map(|db| db.parse().unwrap()),
        size: Bytes(512 << 20),
        whole: false,
    };
    let expected = [
        osd(3, "c0ffee00-1111-4222-8333-444455556666", None),
        osd(4, "c0ffee01-1111-4222-8333-444455556666", Some("osd-db/osd-4")),
    ];
    assert_eq!(found, expected);
    assert_eq!(lvm_osds("{}\n"), Some(vec![]), "as it answers where there are none");
    assert_eq!(lvm_osds("No valid Ceph lvm devices found"), None);
}

/// Captured from `ceph-volume raw list` and `ceph-bluestore-tool show-label`, the key replaced.
#[test]
fn an_osd_on_a_disk_itself_is_found_and_known_to_be_whole() {
    let list = r#"{ "e5457daf-5d38-4679-8418-df5d1fa2074d": {
        "ceph_fsid": "49948298-480f-42bf-82d8-2e38b7a4bdb9", "device": "/dev/loop0", "osd_id": 1,
        "osd_uuid": "e5457daf-5d38-4679-8418-df5d1fa2074d", "type": "bluestore" } }"#;
    let found = raw_osds(list).unwrap();
    let [osd] = &found[..] else { panic!("{found:?}") };
    assert_eq!((osd.id, &osd.device, &osd.volume), (OsdId(1), &path("/dev/loop0"), &None));
    assert_eq!(raw_osds("{}\n"), Some(vec![]));
    let label = r#"{ "/dev/loop0": { "osd_uuid": "e5457daf-5d38-4679-8418-df5d1fa2074d",
        "size": 2147483648, "btime": "2026-11-28T12:12:43.485397+0000", "description": "main",
        "bluefs": "1", "ceph_fsid": "49948298-480f-42bf-82d8-2e38b7a4bdb9",
        "created_at": "2026-11-28T12:12:45.633515Z", "kv_backend": "rocksdb",
        "magic": "ceph osd volume v026", "mkfs_done": "yes", "osd_key": "not told",
        "ready": "ready", "whoami": "1" } }"#;
    let expected = Label { osd: osd.fsid, ready: true };
    assert_eq!(labels(label), [("/dev/loop0".to_owned(), expected.clone())].into());
    let begun = label.replace(r#""ready": "ready", "#, "");
    let expected = Label { ready: false, ..expected };
    assert_eq!(labels(&begun), [("/dev/loop0".to_owned(), expected)].into());
    assert_eq!(labels("unable to read label for /dev/loop0"), BTreeMap::new());
}

/// Captured.
const VGS: &str = r#"  { "report": [ { "vg": [
    {"vg_name":"ceph-0b4f9f2c-6f0f-4e0c-b6f1-6d1d1f0ac001", "vg_free":"1069547520"},
    {"vg_name":"osd-db", "vg_free":"2076180480"} ] } ] }"#;
const PVS: &str = r#"  { "report": [ { "pv": [ {"pv_name":"/dev/loop0", "vg_name":"osd-db"},
    {"pv_name":"/dev/loop1", "vg_name":"ceph-0b4f9f2c-6f0f-4e0c-b6f1-6d1d1f0ac001"} ] } ] }"#;
const LVS: &str = r#"  { "report": [ { "lv": [
    {"lv_name":"osd-block-c0ffee00-1111-4222-8333-444455556666", "vg_name":"ceph-0b4f9f2c-6f0f-4e0c-b6f1-6d1d1f0ac001", "lv_size":"536870912"},
    {"lv_name":"osd-4", "vg_name":"osd-db", "lv_size":"67108864"} ] } ] }"#;

#[test]
fn a_group_is_told_with_what_is_free_and_what_is_in_it() {
    let expected = VolumeGroup {
        name: "osd-db".to_owned(),
        free: Bytes(2_076_180_480),
        devices: [path("/dev/loop0")].into(),
        volumes: [("osd-4".to_owned(), Bytes(64 << 20))].into(),
    };
    assert_eq!(volume_group("osd-db", VGS, PVS, LVS), Some(Some(expected)));
    assert_eq!(volume_group("other", VGS, PVS, LVS), Some(None));
    assert_eq!(volume_group("osd-db", "", PVS, LVS), None);
}

/// Written after the manuals of lsscsi and nvme-cli, for want of such disks.
#[test]
fn a_disk_is_found_by_what_it_is() {
    let scsi = "\
[0:0:0:0]    disk    ATA      SAMSUNG MZ7LH480 404Q  /dev/sda    480GB
[0:0:1:0]    disk    ATA      SAMSUNG MZ7LH1T9 404Q  /dev/sdb   1.92TB
[0:0:2:0]    cd/dvd  SAMSUNG  DVD 480GB        1.0   /dev/sr0    480GB
[0:0:3:0]    disk    ATA      SAMSUNG MZ7LH480 404Q  /dev/sdc    481GB
[0:0:4:0]    disk    ATA      SAMSUNG MZ7LH480 404Q  -               -
";
    let find = |text: &str| scsi_disk(scsi, &text.parse().unwrap());
    assert_eq!(find("detect:samsung:480GB:0"), Some(path("/dev/sda")));
    assert_eq!(find("detect:samsung:480GB:1"), Some(path("/dev/sdc")));
    assert_eq!(find("detect:samsung:480GB:2"), None);
    assert_eq!(find("detect:MZ7LH1T9:1.9TB:0"), Some(path("/dev/sdb")));
    assert_eq!(find("detect:intel:480GB:0"), None);
    let nvme = r#"{ "Devices": [
        { "DevicePath": "/dev/nvme0n1", "ModelNumber": "INTEL SSDPE2KX010T8", "PhysicalSize": 1000204886016 },
        { "DevicePath": "/dev/nvme1n1", "ModelNumber": "INTEL SSDPE2KX010T8", "PhysicalSize": 1000204886016 } ] }"#;
    let detect = |index| format!("detect:ssdpe2kx:1TB:{index}").parse().unwrap();
    assert_eq!(nvme_disk(nvme, &detect(1)), Some(path("/dev/nvme1n1")));
    assert_eq!(nvme_disk(nvme, &detect(2)), None);
    assert_eq!(nvme_disk("", &detect(0)), None, "as it answers where there are none");
}
