//! A cluster, a machine and a tree that do what steps say, and fail when a step does harm.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pvc_common::id::Fsid;
use pvc_common::observed::{MappedOsd, NewOsds, VolumeGroup};
use pvc_common::zk::{Op, Seen, Text, Version, key};

use crate::osd::*;

pub(super) const GIB: u64 = 1 << 30;

/// When all begins.
#[expect(clippy::disallowed_methods, reason = "any instant will do to begin with")]
pub(super) fn began() -> Instant {
    Instant::now()
}

pub(super) fn disk(text: &str) -> DevicePath {
    text.parse().unwrap()
}

pub(super) fn fsid(number: u64) -> Fsid {
    format!("c0ffee00-0000-4000-8000-{number:012x}").parse().unwrap()
}

pub(super) fn weight(text: &str) -> Weight {
    text.parse().unwrap()
}

/// `hv1` with OSD 0 on `/dev/sda` and two blank disks, in a cluster where OSD 1 is on `hv2`.
#[derive(Clone)]
pub(super) struct Site {
    me: NodeName,
    tree: BTreeMap<String, (Vec<u8>, i32)>,
    pub(super) map: OsdMap,
    pub(super) disks: BTreeMap<DevicePath, BlockDevice>,
    pub(super) machine: Machine,
    active: BTreeSet<OsdId>,
    made: u64,
    /// Whether data stays on OSDs that are out.
    pub(super) keeps_data: bool,
    /// Whether the primary tells of nothing.
    pub(super) silent: bool,
}

fn blank_disk(path: &str) -> BlockDevice {
    BlockDevice {
        path: disk(path),
        size: Bytes(100 * GIB),
        signatures: BTreeSet::new(),
        parts: BTreeMap::new(),
        mounts: Vec::new(),
    }
}

impl Site {
    pub(super) fn new() -> Self {
        let disks = ["/dev/sda", "/dev/sdb", "/dev/sdc"].map(|it| (disk(it), blank_disk(it)));
        let machine = Machine { lvm: true, boot: "b1".to_owned(), ..Machine::default() };
        let map = OsdMap { cluster: fsid(0xc), flags: BTreeSet::new(), osds: BTreeMap::new() };
        let mut site = Self {
            me: "hv1".parse().unwrap(),
            tree: BTreeMap::new(),
            map,
            disks: disks.into(),
            machine,
            active: BTreeSet::new(),
            made: 0,
            keeps_data: false,
            silent: false,
        };
        let class = pvc_common::state::Tier::Ssd;
        let first = NewOsds { device: disk("/dev/sda"), count: 1, class, ids: vec![] };
        site.act(&Step::Prepare(first), None);
        let osd = site.machine.osds[0].clone();
        site.act(&Step::Place { osd: osd.id, host: site.me.clone(), weight: weight("1") }, None);
        site.act(&Step::Activate(osd.clone()), None);
        let none: Option<&Arc<Osd>> = None;
        let ops = record::write(&site.me, &osd, false, none);
        site.act(&Step::Record { osd: osd.id, ops }, None);
        let other = MappedOsd {
            fsid: Some(fsid(0xff)),
            up: true,
            is_in: true,
            new: false,
            host: Some("hv2".to_owned()),
            weight: weight("1"),
        };
        site.map.osds.insert(OsdId(1), other);
        site.tell();
        site
    }

    pub(super) fn with_db_group(mut self, gib: u64) -> Self {
        self.machine.db_group = Some(VolumeGroup {
            name: DB_GROUP.to_owned(),
            free: Bytes(gib * GIB),
            devices: [disk("/dev/nvme0n1p1")].into(),
            volumes: BTreeMap::new(),
        });
        self
    }

    pub(super) fn write_on(&mut self, path: &str, signature: &str) {
        self.disks.get_mut(&disk(path)).unwrap().signatures.insert(signature.to_owned());
    }

    /// The record of an OSD in the tree.
    pub(super) fn record(&self, id: OsdId) -> Option<Osd> {
        self.tree.contains_key(key::osd(id).path()).then(|| Osd {
            znode: self.read(&key::osd(id)),
            node: self.read(&key::osd_node(id)),
            device: self.read(&key::osd_device(id)),
            db_device: self.read(&key::osd_db_device(id)),
            fsid: self.read(&key::osd_fsid(id)),
            cluster_fsid: self.read(&key::osd_cluster_fsid(id)),
            vg: self.read(&key::osd_vg(id)),
            lv: self.read(&key::osd_lv(id)),
            is_split: self.read(&key::osd_is_split(id)),
            stats: self.read(&key::osd_stats(id)),
        })
    }

    fn read<T: Text>(&self, key: &key::Key<T>) -> Seen<T> {
        Seen::read(self.tree.get(key.path()).map(|(data, v)| (data.as_slice(), Version(*v))))
    }

    fn safety(&self, osds: &[OsdId]) -> Safety {
        let holds = |id: &&OsdId| {
            let known = self.map.osds.get(id);
            known.is_some_and(|it| !it.is_destroyed() && !it.new && (it.is_in || self.keeps_data))
        };
        osds.iter()
            .find(holds)
            .map_or(Safety::Safe, |id| Safety::AtRisk { why: format!("OSD {id} serves data") })
    }

    /// What a task does next, judged by what there is.
    pub(super) fn next(&self, course: &mut Course, now: Instant) -> Next {
        let of_tree = |id| Some((id, Arc::new(self.record(id)?)));
        let osds: Shared<OsdId, Osd> = (0..32).map(OsdId).filter_map(of_tree).collect();
        let looked = course.devices().into_iter();
        let devices = looked.map(|path| (path.clone(), self.disks.get(&path).cloned())).collect();
        let machine = Machine { devices, ..self.machine.clone() };
        let safety = self.safety(&course.at_stake());
        let (me, map) = (&self.me, &self.map);
        course.next(World { me, osds: &osds, map, machine: &machine, safety: &safety }, now)
    }

    /// Plays a task to its end; the stages it went through, and what it said.
    pub(super) fn play(&mut self, task: Task) -> (Vec<Stage>, Result<String, String>) {
        self.go_on(&mut Course::new(task, None))
    }

    pub(super) fn go_on(&mut self, course: &mut Course) -> (Vec<Stage>, Result<String, String>) {
        let (mut now, mut stages) = (began(), Vec::new());
        for _ in 0..1000 {
            match self.next(course, now) {
                Next::Do(stage) => {
                    self.act(&stage.step, None);
                    stages.push(stage);
                }
                Next::Wait(_) => now += Duration::from_secs(1),
                Next::Done(text) => return (stages, Ok(text)),
                Next::Fail(why) => return (stages, Err(why)),
            }
            self.tell();
        }
        panic!("no end: {:?}", stages.last());
    }

    /// What happens by itself: OSDs that run come up, and the primary tells of all.
    pub(super) fn tell(&mut self) {
        for id in self.machine.running.clone() {
            let Some(known) = self.map.osds.get_mut(&id) else { continue };
            let here =
                self.machine.osds.iter().any(|it| Some(it.fsid) == known.fsid && it.id == id);
            if here {
                (known.up, known.is_in) = (true, known.is_in || known.new);
                known.new = false;
            }
        }
        for id in (0..32).map(OsdId).filter(|_| !self.silent) {
            if let Some((data, version)) = self.tree.get_mut(key::osd_stats(id).path())
                && self.map.osds.get(&id).is_some_and(|known| known.up)
            {
                (*data, *version) = (b"{\"weight\":1.0}".to_vec(), *version + 1);
            }
        }
    }

    /// Carries a step out; `whole`: how many OSDs get whole before the one that makes them is killed.
    pub(super) fn act(&mut self, step: &Step, whole: Option<u8>) {
        match step {
            Step::Remember(_) => {}
            Step::TakeOut(osd) => self.known(*osd).is_in = false,
            Step::PutIn(osd) => self.known(*osd).is_in = true,
            Step::Stop(osd) => {
                self.machine.running.remove(osd);
            }
            Step::MarkDown(osd) => self.known(*osd).up = self.machine.running.contains(osd),
            Step::Destroy { osd, force } => self.end(*osd, *force, false),
            Step::Purge { osd, force } => self.end(*osd, *force, true),
            Step::Place { osd, host, weight } => {
                let known = self.known(*osd);
                (known.host, known.weight) = (Some(host.to_string()), *weight);
            }
            Step::Zap(path) => self.zap(path),
            Step::RemoveVolume(volume) => self.remove_volume(volume),
            Step::Prepare(osds) => self.prepare(osds, whole),
            Step::AddDb { osd, volume, size } => self.add_db(osd, volume, *size),
            Step::Activate(osd) => {
                let found = self.machine.osds.iter().find(|it| it.fsid == osd.fsid).unwrap();
                assert!(found.whole, "what is not whole is not started");
                self.active.insert(osd.id);
                self.machine.running.insert(osd.id);
            }
            Step::Partition(path) => {
                let part = disk(&format!("{path}1"));
                let present = self.disks.get_mut(path).unwrap();
                assert!(present.is_blank(), "{path} holds {}", present.contents());
                present.signatures.insert("gpt".to_owned());
                present.parts.insert(part, BTreeSet::new());
            }
            Step::CreateDbGroup { partition } => {
                *self = self.clone().with_db_group(100);
                self.machine.db_group.as_mut().unwrap().devices = [partition.clone()].into();
            }
            Step::Record { ops, .. } => self.commit(ops),
            Step::Forget { osd, guard, .. } => {
                self.commit(guard);
                let root = key::osd(*osd).into_path();
                let below = format!("{root}/");
                self.tree.retain(|path, _| *path != root && !path.starts_with(&below));
            }
        }
    }

    fn known(&mut self, osd: OsdId) -> &mut MappedOsd {
        self.map.osds.get_mut(&osd).unwrap()
    }

    fn end(&mut self, osd: OsdId, force: bool, purge: bool) {
        let safe = self.safety(&[osd]) == Safety::Safe;
        let Some(known) = self.map.osds.get_mut(&osd) else { return };
        assert!(!known.up, "OSD {osd} is up");
        assert!(safe || force, "the data of OSD {osd} is at risk");
        if purge {
            self.map.osds.remove(&osd);
        } else {
            known.fsid = None;
        }
    }

    /// Whether the cluster relies on an OSD.
    fn serves(&self, osd: &FoundOsd) -> bool {
        let known = self.map.osds.get(&osd.id).filter(|known| known.fsid == Some(osd.fsid));
        known.is_some_and(|known| !known.new) || self.machine.running.contains(&osd.id)
    }

    fn zap(&mut self, path: &DevicePath) {
        let ours = ["LVM2_member", "ceph_bluestore"];
        let present = &self.disks[path];
        let foreign = present.signatures.iter().find(|it| !ours.contains(&it.as_str()));
        assert_eq!(foreign, None, "{path} is wiped");
        for osd in self.machine.osds.iter().filter(|osd| osd.device == *path) {
            assert!(!self.serves(osd), "{path} is wiped with OSD {}", osd.id);
            self.active.remove(&osd.id);
        }
        self.machine.osds.retain(|osd| osd.device != *path);
        self.disks.insert(path.clone(), blank_disk(path.as_str()));
    }

    fn remove_volume(&mut self, volume: &LvName) {
        for osd in &self.machine.osds {
            let on_it = osd.volume.as_ref() == Some(volume) || osd.db.as_ref() == Some(volume);
            assert!(!on_it || !self.serves(osd), "{volume} of OSD {} is removed", osd.id);
        }
        self.machine.osds.retain(|osd| osd.volume.as_ref() != Some(volume));
        for osd in self.machine.osds.iter_mut().filter(|osd| osd.db.as_ref() == Some(volume)) {
            (osd.db, osd.whole) = (None, false);
        }
        if let Some(group) = self.machine.db_group.as_mut().filter(|it| it.name == volume.group()) {
            group.free.0 += group.volumes.remove(volume.volume()).unwrap_or_default().0;
        }
    }

    fn prepare(&mut self, osds: &NewOsds, whole: Option<u8>) {
        let present = self.disks.get_mut(&osds.device).unwrap();
        assert!(present.is_blank(), "{} holds {}", osds.device, present.contents());
        present.signatures.insert("LVM2_member".to_owned());
        for number in 0..osds.count {
            let free = || (0..).map(OsdId).find(|id| !self.map.osds.contains_key(id)).unwrap();
            let id = osds.ids.get(usize::from(number)).copied().unwrap_or_else(free);
            let former = self.map.osds.get(&id);
            assert!(former.is_none_or(MappedOsd::is_destroyed), "number {id} is in use");
            self.made += 1;
            let fsid = fsid(self.made);
            let known = MappedOsd {
                fsid: Some(fsid),
                up: false,
                is_in: former.is_none_or(|former| former.is_in),
                new: true,
                host: former.and_then(|former| former.host.clone()),
                weight: former.map_or(weight("0"), |former| former.weight),
            };
            self.map.osds.insert(id, known);
            let whole = whole.is_none_or(|whole| number < whole);
            self.machine.osds.push(FoundOsd {
                id,
                fsid,
                cluster: self.map.cluster,
                device: osds.device.clone(),
                volume: Some(format!("ceph-{}/osd-block-{fsid}", self.made).parse().unwrap()),
                db: None,
                size: Bytes(100 * GIB / u64::from(osds.count)),
                whole,
            });
            if !whole {
                return;
            }
        }
    }

    fn add_db(&mut self, osd: &FoundOsd, volume: &LvName, size: Bytes) {
        assert!(!self.machine.running.contains(&osd.id));
        let group = self.machine.db_group.as_mut().unwrap();
        group.free.0 +=
            group.volumes.insert(volume.volume().to_owned(), size).unwrap_or_default().0;
        group.free.0 = group.free.0.checked_sub(size.0).unwrap();
        let found = self.machine.osds.iter_mut().find(|it| it.fsid == osd.fsid).unwrap();
        found.db = Some(volume.clone());
    }

    fn commit(&mut self, ops: &[Op]) {
        for op in ops {
            let present = self.tree.get(op.path()).map(|(_, version)| *version);
            match op {
                Op::Create { path, data } => {
                    assert_eq!(present, None, "{path} is there");
                    self.tree.insert(path.clone(), (data.clone(), 0));
                }
                Op::Set { path, data, version } => {
                    assert_eq!(present, Some(version.0), "{path}");
                    self.tree.insert(path.clone(), (data.clone(), version.0 + 1));
                }
                Op::Check { path, version } => assert_eq!(present, Some(version.0), "{path}"),
                Op::CreateEphemeral { .. } | Op::Delete { .. } => panic!("{op:?}"),
            }
        }
    }
}
