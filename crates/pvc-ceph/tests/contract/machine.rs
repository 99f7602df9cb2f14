//! A machine for OSDs: the programs run in a mount namespace, where Ceph's own folders are the
//! test's, and its disk is a file.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pvc_common::id::{DevicePath, OsdId};

use crate::cluster::Cluster;

const PROGRAMS: [&str; 11] = [
    "ceph-bluestore-tool",
    "ceph-volume",
    "dd",
    "lsblk",
    "lsscsi",
    "nvme",
    "readlink",
    "sgdisk",
    "umount",
    "vgs",
    "wipefs",
];

/// An OSD of a few MiB that nobody waits for.
const SETTINGS: &str = "
auth_allow_insecure_global_id_reclaim = false
run_dir = /var/lib/ceph/run
admin_socket = /var/lib/ceph/run/$name.asok
pid_file =
log_file =
osd_crush_update_on_start = false
osd_objectstore = bluestore
bluestore_cache_autotune = false
bluestore_cache_size = 67108864
osd_heartbeat_interval = 1
osd_max_pg_log_entries = 200
";

/// The machine. It ends with this value, and with this process.
pub(crate) struct Machine {
    enter: Vec<String>,
    programs: String,
    /// That it is open is all that keeps the loop device.
    _disk: File,
    path: DevicePath,
    holder: Child,
    osds: std::sync::Mutex<Vec<(OsdId, Child)>>,
}

fn run(program: &str, words: &[&str]) -> String {
    let done = Command::new(program).args(words).output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{program} {words:?}: {err}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

impl Machine {
    pub(crate) fn new(cluster: &Cluster) -> Self {
        let folder = cluster.folder().join("machine");
        for name in ["etc", "lib/bootstrap-osd", "lib/osd", "lib/tmp", "lib/run", "programs"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let shown = folder.display().to_string();
        cluster.configure_at(&folder.join("etc/ceph.conf"), SETTINGS);
        let keyring = cluster.folder().join("keyring");
        fs::copy(keyring, folder.join("etc/ceph.client.admin.keyring")).unwrap();
        let key = cluster.tool("ceph", &["auth", "get", "client.bootstrap-osd"]);
        fs::write(folder.join("lib/bootstrap-osd/ceph.keyring"), key).unwrap();
        run("chown", &["-R", "ceph:ceph", &format!("{shown}/lib")]);
        let ready = folder.join("ready");
        let script = format!(
            "mount --bind {shown}/lib /var/lib/ceph && mount --bind {shown}/etc /etc/ceph && \
             mount --bind {shown}/lib/tmp /var/log/ceph && touch {shown}/ready && exec sleep infinity"
        );
        let holder = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .args(cluster.spaces.enter())
            .args(["unshare", "--mount", "--propagation", "private", "sh", "-c", &script])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while !ready.exists() {
            assert!(began.elapsed() < Duration::from_secs(60), "no mount namespace");
            std::thread::yield_now();
        }
        let pid = holder.id().to_string();
        let enter = ["nsenter", "--net", "--mount", "--target", &pid].map(str::to_owned).to_vec();
        let programs = format!("{shown}/programs");
        for name in PROGRAMS {
            wrap(&folder.join("programs").join(name), &enter, name);
        }
        let (disk, path) = disk(&folder.join("disk"));
        let osds = std::sync::Mutex::default();
        Self { enter, programs, _disk: disk, path, holder, osds }
    }

    /// Where the programs are that run on the machine.
    pub(crate) fn programs(&self) -> &str {
        &self.programs
    }

    /// Its disk.
    pub(crate) fn disk(&self) -> &DevicePath {
        &self.path
    }

    pub(crate) fn start(&self, osd: OsdId) {
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .args(&self.enter)
            .args(["ceph-osd", "-f", "-i", &osd.to_string()])
            .args(["--setuser", "ceph", "--setgroup", "ceph"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.osds.lock().unwrap().push((osd, child));
    }

    pub(crate) fn stop(&self, osd: OsdId) {
        let mut osds = self.osds.lock().unwrap();
        for (_, child) in osds.iter_mut().filter(|(id, _)| *id == osd) {
            // As systemd does.
            run("kill", &["-TERM", &child.id().to_string()]);
            child.wait().unwrap();
        }
        osds.retain(|(id, _)| *id != osd);
    }
}

fn wrap(path: &Path, enter: &[String], name: &str) {
    let mut file = File::create(path).unwrap();
    writeln!(file, "#!/bin/sh\nexec {} {name} \"$@\"", enter.join(" ")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A file of 2 GiB that is a disk for as long as it is open.
fn disk(file: &Path) -> (File, DevicePath) {
    File::create(file).unwrap().set_len(2 << 30).unwrap();
    let path = run("losetup", &["--find", "--show", &file.display().to_string()]);
    let disk = File::open(&path).unwrap();
    // It goes once nobody has it open.
    run("losetup", &["--detach", &path]);
    (disk, path.parse().unwrap())
}

impl Drop for Machine {
    fn drop(&mut self) {
        for (_, child) in self.osds.get_mut().unwrap() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        // Ceph's user owns it since an OSD was made on it, and the next user of that name is another.
        run("chown", &["root:disk", self.path.as_str()]);
        self.holder.kill().unwrap();
        self.holder.wait().unwrap();
    }
}
