//! A Ceph cluster of one monitor, one manager and one OSD that keeps everything in memory.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::space::{self, Spaces};

/// It starts in some 5 s; a machine that builds meanwhile takes many times as long.
const STARTS_WITHIN: Duration = Duration::from_secs(180);

/// What the manager loads: with all of its modules it takes twice as long and three times as much.
const MODULES: [&str; 5] = ["rbd_support", "status", "devicehealth", "pg_autoscaler", "balancer"];

/// Modules that it misses, but does not need.
const STAND_INS: [&str; 5] = ["crash", "orchestrator", "progress", "telemetry", "volumes"];

/// Times as of production would make every commit take a second.
const SETTINGS: &str = "
auth_allow_insecure_global_id_reclaim = false
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
[client]
admin_socket =
log_file =
client_mount_timeout = 15
[mon]
mon_allow_pool_size_one = true
mon_allow_pool_delete = true
mon_warn_on_pool_no_redundancy = false
mon_data_avail_warn = 2
mon_data_avail_crit = 1
mgr_initial_modules =
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
mon_tick_interval = 1
[mgr]
mgr_stats_period = 1
mgr_tick_period = 1
[osd]
osd_objectstore = memstore
osd_heartbeat_interval = 1
memstore_device_bytes = 1073741824
osd_max_pg_log_entries = 200
";

/// A cluster that ends with this value.
pub(crate) struct Cluster {
    folder: TempDir,
    pub(crate) spaces: Spaces,
    daemons: Vec<Child>,
}

impl Cluster {
    /// Starts one, with a pool `vms`; returns when it serves.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("ceph").tempdir().unwrap();
        let mut cluster = Self { folder, spaces: Spaces::new(), daemons: vec![] };
        let fsid = fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap().trim().to_owned();
        cluster.configure(&fsid);
        cluster.wrap_programs();
        cluster.make_keys();
        let map = cluster.at("monmap");
        let address = monitor();
        cluster.tool("monmaptool", &["--create", "--fsid", &fsid, "--addv", "a", &address, &map]);
        let keyring = cluster.at("keyring");
        cluster.tool("ceph-mon", &["--mkfs", "-i", "a", "--monmap", &map, "--keyring", &keyring]);
        cluster.daemon("ceph-mon", "a");
        cluster.daemon("ceph-mgr", "x");
        cluster.tool("ceph", &["osd", "new", &fsid, "0"]);
        cluster.tool("ceph-osd", &["--mkfs", "-i", "0", "--osd-uuid", &fsid]);
        cluster.daemon("ceph-osd", "0");
        let pool = ["osd", "pool", "create", "vms", "8", "8"];
        cluster.tool("ceph", &pool);
        cluster.tool("ceph", &["osd", "pool", "application", "enable", "vms", "rbd"]);
        cluster.wait_until("its placement groups are clean", || {
            // The manager may have made a pool of its own.
            let status = cluster.tool("ceph", &["pg", "stat"]);
            ["8 pgs: 8", "9 pgs: 9"]
                .iter()
                .any(|all| status.contains(&format!("{all} active+clean;")))
        });
        cluster.tool("rbd", &["pool", "init", "vms"]);
        cluster
    }

    /// Its configuration file.
    pub(crate) fn conf(&self) -> PathBuf {
        self.folder.path().join("ceph.conf")
    }

    /// Where `ceph` and `rbd` are that run beside the daemons.
    pub(crate) fn programs(&self) -> String {
        self.at("programs")
    }

    /// What a program of Ceph's prints; fails if that fails.
    pub(crate) fn tool(&self, program: &str, words: &[&str]) -> String {
        let done = self.command(&self.spaces.enter(), program).args(words).output().unwrap();
        let (out, err) = (&done.stdout, String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{program} {words:?}: {err}");
        String::from_utf8_lossy(out).into_owned()
    }

    /// A program of Ceph's after the words that enter a namespace. It ends with this process.
    pub(crate) fn command(&self, enter: &[String], program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).args(enter);
        command.arg(program).arg("--conf").arg(self.conf()).stdin(Stdio::null());
        command
    }

    /// Waits for something of which the cluster can only be asked, which takes a moment each time.
    pub(crate) fn wait_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < STARTS_WITHIN, "in vain: {what}");
        }
    }

    /// Where it keeps everything.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a configuration file for another machine of its, with these settings.
    pub(crate) fn configure_at(&self, conf: &Path, settings: &str) {
        let head = fs::read_to_string(self.conf()).unwrap();
        let head: Vec<&str> = head.lines().take(4).collect();
        fs::write(conf, format!("{}{settings}", head.join("\n"))).unwrap();
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn configure(&self, fsid: &str) {
        let modules = self.modules();
        let folder = self.folder.path().display();
        let mut conf = format!(
            "[global]\nfsid = {fsid}\nmon_host = {}\npublic_network = {}/24\n",
            monitor(),
            space::address(0)
        );
        for (setting, name) in [
            ("keyring", "keyring"),
            ("run_dir", "run"),
            ("admin_socket", "run/$name.asok"),
            ("pid_file", "run/$name.pid"),
            ("log_file", "log/$name.log"),
            ("mon_cluster_log_file", "log/cluster.log"),
            ("mon_data", "mon"),
            ("mgr_data", "mgr"),
            ("osd_data", "osd"),
        ] {
            writeln!(conf, "{setting} = {folder}/{name}").unwrap();
        }
        writeln!(conf, "mgr_module_path = {}", modules.display()).unwrap();
        conf.push_str(SETTINGS);
        fs::write(self.conf(), conf).unwrap();
        for name in ["run", "log", "mon", "mgr", "osd"] {
            fs::create_dir(self.folder.path().join(name)).unwrap();
        }
    }

    fn wrap_programs(&self) {
        fs::create_dir(self.programs()).unwrap();
        for name in ["ceph", "fio", "qemu-img", "rados", "rbd"] {
            let path = self.folder.path().join("programs").join(name);
            let enter = self.spaces.enter().join(" ");
            fs::write(&path, format!("#!/bin/sh\nexec {enter} {name} \"$@\"\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    fn modules(&self) -> PathBuf {
        let ours = self.folder.path().join("modules");
        fs::create_dir(&ours).unwrap();
        let theirs = Path::new("/usr/share/ceph/mgr");
        for name in MODULES.iter().chain(&["mgr_module.py", "mgr_util.py"]) {
            symlink(theirs.join(name), ours.join(name)).unwrap();
        }
        for name in STAND_INS {
            let module = ours.join(name);
            fs::create_dir(&module).unwrap();
            let class = "from mgr_module import MgrModule\nclass Module(MgrModule):\n    pass\n";
            fs::write(module.join("module.py"), class).unwrap();
            fs::write(module.join("__init__.py"), "from .module import Module\n").unwrap();
        }
        ours
    }

    fn make_keys(&self) {
        let keyring = self.at("keyring");
        let all = ["mon", "osd", "mgr", "mds"].map(|kind| ["--cap", kind, "allow *"]).concat();
        for (number, name) in ["mon.", "client.admin", "mgr.x", "osd.0"].iter().enumerate() {
            let mut words = vec![keyring.as_str(), "--gen-key", "-n", name];
            if number == 0 {
                words.push("-C");
            }
            words.extend(&all);
            self.tool("ceph-authtool", &words);
        }
    }

    fn daemon(&mut self, program: &str, id: &str) {
        // Its end is ours: a test that is killed leaves nothing behind.
        let daemon = self
            .command(&self.spaces.enter(), program)
            .args(["-f", "-i", id])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.daemons.push(daemon);
    }
}

fn monitor() -> String {
    format!("[v2:{}:3300/0]", space::address(1))
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            daemon.kill().unwrap();
            daemon.wait().unwrap();
        }
    }
}
