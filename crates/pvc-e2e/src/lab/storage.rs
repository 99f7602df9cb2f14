//! The storage of a lab that was brought up with `--storage`: VMs on its volumes, and what Ceph's
//! own tools say of it.
//!
//! The guest `store` writes a line to its volume and, once that is acknowledged, appends the same line
//! to a record which all hosts share. So the volume has to hold every line of the record where it was
//! written, and at most one line more of each boot. A QEMU that wrote after another had begun would
//! have put its line where the other's stands.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::fault::Status;
use super::record::{Boot, boots};
use super::tidy::say;
use super::{COMMAND, Lab, PREFIX, Program, until};

/// The pool that the lab makes.
pub const POOL: &str = "vms";

/// The disks of a host that nothing uses.
pub const SPARE_DISKS: [&str; 2] = ["/dev/spare1", "/dev/spare2"];

/// How long the removal of an OSD may take, on a busy machine.
const REMOVAL: Duration = Duration::from_secs(120);

/// The flags of Ceph's that tests set: with some of them it never gets whole.
const FLAGS: [&str; 3] = ["nobackfill", "norecover", "noout"];

/// The size of a VM's volume: room for a guest's lines of half an hour.
const SIZE: &str = "8M";

/// Where a guest's lines begin on its volume.
const FIRST_LINE: u32 = 2048 * 512;

/// How long Ceph may take to be whole again, on a busy machine.
const WHOLE: Duration = Duration::from_secs(120);

/// Writes a guest's boot sector to its volume: arguments are pool, volume and the sector's file.
const WRITE_BOOT_SECTOR: &str = "\
import rados, rbd, sys
with rados.Rados(conffile='/etc/ceph/ceph.conf') as cluster:
    with cluster.open_ioctx(sys.argv[1]) as pool, rbd.Image(pool, sys.argv[2]) as volume:
        volume.write(open(sys.argv[3], 'rb').read(512), 0)
";

impl Lab {
    /// Defines a VM that writes to a volume of its own, with a fresh volume and record, starts it on
    /// `node` and waits until it does.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn store(&self, name: &str, node: &str) -> String {
        let vm = format!("{PREFIX}{name}");
        self.forget(&vm).expect("the record of an earlier test can be removed");
        self.pvc(&["storage", "volume", "add", POOL, &vm, SIZE]);
        let sector = "/var/lib/pvc-lab/guests/store.img";
        self.on(node, &["python3", "-c", WRITE_BOOT_SECTOR, POOL, &vm, sector]);
        let defined = self.define("store", name, &["--target", node]);
        self.pvc(&["vm", "start", &defined]);
        self.await_boot(&vm, 1);
        assert_eq!(self.await_running(&vm), node);
        vm
    }

    /// Sees that the VM's volume holds all that was acknowledged to its guests, as they wrote it;
    /// returns the boots that it tells of. `host` is who looks.
    ///
    /// # Panics
    /// When something is missing, or two wrote at once.
    #[track_caller]
    pub fn kept(&self, vm: &str, host: &str) -> Vec<Boot> {
        // In this order: the guest goes on writing meanwhile.
        let acknowledged = self.boots(vm);
        let on_volume = self.boots_on_volume(vm, host);
        let wrong = missing(&acknowledged, &on_volume);
        assert!(wrong.is_none(), "{vm}: {} {acknowledged:?} {on_volume:?}", wrong.unwrap_or(""));
        on_volume
    }

    /// The boots that a VM's volume tells of, in order.
    ///
    /// # Panics
    /// When two of them wrote at once.
    #[must_use]
    #[track_caller]
    pub fn boots_on_volume(&self, vm: &str, host: &str) -> Vec<Boot> {
        let read = format!(
            "rbd export --no-progress {POOL}/{vm} - | tail --bytes=+{} | tr -d '\\0'",
            FIRST_LINE + 1
        );
        let lines = self.on(host, &["bash", "-o", "pipefail", "-c", &read]);
        boots(&lines).unwrap_or_else(|wrong| panic!("the volume of {vm}: {wrong}"))
    }

    /// What one of Ceph's programs says on a host.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn ceph(&self, host: &str, words: &[&str]) -> Value {
        let all: Vec<&str> = words.iter().chain(&["--format", "json"]).copied().collect();
        let said = self.on(host, &all);
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("{words:?}: not understood: {said}"))
    }

    /// A host's address in the storage network, which Ceph knows its clients by.
    ///
    /// # Panics
    /// When the lab does not say.
    #[must_use]
    #[track_caller]
    pub fn node_address(&self, node: &str) -> String {
        let status = Status::of(&self.program).unwrap_or_else(|error| panic!("{error:#}"));
        let host = status.hosts.into_iter().find(|host| host.name == node);
        host.expect("it is one of the lab's").storage
    }

    /// Waits until Ceph is whole: all monitors and OSDs serve, and every object has all its copies.
    ///
    /// # Panics
    /// When it does not come to that.
    #[track_caller]
    pub fn await_storage(&self) {
        until("Ceph to be whole", WHOLE, || {
            is_whole(&self.program, &self.hosts).map_err(|error| format!("{error:#}"))
        });
    }

    /// Shows what Ceph complains of, and what it waits for.
    pub(super) fn show_storage(&self) {
        for words in
            [&["status"][..], &["health", "detail"], &["osd", "tree"], &["pg", "dump_stuck"]]
        {
            let ask = ["exec", &self.hosts[0], "ceph", "--connect-timeout", "5"];
            let words: Vec<&str> = ask.iter().chain(words).copied().collect();
            let said = self.program.run(COMMAND, &words);
            let text = said.map_or_else(|error| format!("{error:#}"), |said| said.out + &said.err);
            say(&format!("--- {}\n{text}", words[2..].join(" ")));
        }
    }

    /// Undoes what a test that failed has left set, and puts the lab's own OSDs in again.
    fn reset_osds(&self) -> Result<()> {
        let order = |words: &[&str]| {
            let all = [&["exec", &self.hosts[0], "ceph"], words].concat();
            self.program.run(COMMAND, &all)?.ok()
        };
        let map: Value = serde_json::from_str(&order(&["osd", "dump", "--format", "json"])?)?;
        let set: Vec<&str> = map["flags"].as_str().unwrap_or_default().split(',').collect();
        for flag in FLAGS.into_iter().filter(|flag| set.contains(flag)) {
            order(&["osd", "unset", flag])?;
        }
        let out = map["osds"].as_array().into_iter().flatten().filter(|osd| osd["in"] == 0);
        for id in out.filter_map(|osd| osd["osd"].as_u64()) {
            order(&["osd", "in", &id.to_string()])?;
        }
        Ok(())
    }

    /// Removes the OSDs that tests have made: the lab's own have the first numbers.
    fn clean_osds(&self) -> Result<()> {
        let osds: Vec<pvc_common::api::Osd> = self.list(&["storage", "osd", "list"])?;
        let is_extra = |osd: &&pvc_common::api::Osd| {
            osd.id.parse::<usize>().is_ok_and(|id| id >= self.hosts.len())
        };
        let extra: Vec<_> = osds.iter().filter(is_extra).collect();
        if extra.is_empty() {
            return Ok(());
        }
        for osd in extra {
            let words = ["pvc", "--", "--unsafe", "--quiet", "storage", "osd", "remove", &osd.id];
            let words = [&words[..], &["--force"]].concat();
            self.program.run(REMOVAL, &words)?.ok()?;
        }
        Ok(())
    }

    /// Removes the volumes, pools and OSDs of the tests.
    pub(super) fn clean_storage(&self) -> Result<()> {
        let run = |words: &[&str]| {
            let words: Vec<&str> = ["pvc", "--", "--unsafe", "--quiet", "storage"]
                .iter()
                .chain(words)
                .copied()
                .collect();
            self.program.run(COMMAND, &words)?.ok()
        };
        let pools: Vec<pvc_common::api::Pool> = self.list(&["storage", "pool", "list"])?;
        for pool in pools.iter().filter(|pool| pool.name.starts_with(PREFIX)) {
            run(&["pool", "remove", &pool.name])?;
        }
        let volumes: Vec<pvc_common::api::Volume> = self.list(&["storage", "volume", "list"])?;
        for volume in volumes.iter().filter(|volume| volume.name.starts_with(PREFIX)) {
            run(&["volume", "remove", &volume.pool, &volume.name])?;
        }
        self.reset_osds()?;
        self.clean_osds()
    }
}

fn is_whole(program: &Program, hosts: &[String]) -> Result<()> {
    let first = hosts.first().context("there are no hosts")?;
    let words = ["exec", first, "ceph", "--connect-timeout", "5", "status", "--format", "json"];
    let said = program.run(COMMAND, &words)?.ok()?;
    let status: Value = serde_json::from_str(&said)?;
    let osds = |which: &str| status["osdmap"][which].as_u64();
    let up = osds("num_up_osds");
    let quorum = status["quorum_names"].as_array().map_or(0, Vec::len);
    let states = status["pgmap"]["pgs_by_state"].as_array().map_or(&[][..], Vec::as_slice);
    let clean = states.iter().all(|state| state["state_name"] == "active+clean");
    // Three coordinators have monitors, every host has an OSD, and a test may have made more.
    let all_up = up >= u64::try_from(hosts.len()).ok() && up == osds("num_osds");
    let whole = all_up && quorum == 3 && clean;
    let available = status["mgrmap"]["available"] == true;
    ensure!(whole && available, "{up:?} OSDs, {quorum} monitors, {available}, {states:?}");
    Ok(())
}

/// What is wrong with a volume, where a record tells what was acknowledged.
fn missing(acknowledged: &[Boot], on_volume: &[Boot]) -> Option<&'static str> {
    for (index, boot) in acknowledged.iter().enumerate() {
        let Some(there) = on_volume.get(index) else { return Some("a boot is missing") };
        if there.name != boot.name {
            return Some("another boot stands there");
        }
        if there.lines < boot.lines {
            return Some("what was acknowledged is missing");
        }
        if index + 1 < acknowledged.len() && there.lines > boot.lines + 1 {
            return Some("more was written than acknowledged");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(boots: &[(&str, u32)]) -> Vec<Boot> {
        boots.iter().map(|(name, lines)| Boot { name: (*name).to_owned(), lines: *lines }).collect()
    }

    #[test]
    fn a_volume_has_to_hold_what_was_acknowledged() {
        let record = told(&[("one", 20), ("two", 5)]);
        // One line was on its way when the first boot died; the second has written on.
        assert_eq!(missing(&record, &told(&[("one", 21), ("two", 9)])), None);
        for (volume, wrong) in [
            (&[("one", 19), ("two", 9)], "what was acknowledged is missing"),
            (&[("one", 22), ("two", 9)], "more was written than acknowledged"),
            (&[("one", 20), ("one", 5)], "another boot stands there"),
            (&[("one", 20), ("two", 4)], "what was acknowledged is missing"),
        ] {
            assert_eq!(missing(&record, &told(volume)), Some(wrong));
        }
        assert_eq!(missing(&record, &told(&[("one", 20)])), Some("a boot is missing"));
    }
}
