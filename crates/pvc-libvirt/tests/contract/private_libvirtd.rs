//! A libvirtd of the test's own: its own files, host name and processes.
//!
//! It lives in namespaces that end with it, and every QEMU with them. A shell is the first
//! process there: it reaps QEMU, which libvirtd would not, and starts libvirtd again when it
//! dies, as an init would.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// libvirt probes QEMU when it first looks at it, which takes some seconds.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

pub(crate) struct PrivateLibvirtd {
    folder: PathBuf,
    process: Child,
}

impl PrivateLibvirtd {
    /// Starts one; `number` makes its host and its migration ports its own.
    pub(crate) fn start(root: &Path, number: u16) -> Self {
        let folder = root.join(format!("hv{number}"));
        for part in ["run", "lib", "cache", "log", "etc", "dev"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        let port = 49_000 + number * 100;
        fs::write(
            folder.join("etc/qemu.conf"),
            format!(
                "user = \"root\"\ngroup = \"root\"\nsecurity_driver = \"none\"\n\
                 dynamic_ownership = 0\nremember_owner = 0\nnamespaces = []\n\
                 cgroup_controllers = []\nstdio_handler = \"file\"\n\
                 migration_port_min = {port}\nmigration_port_max = {}\n",
                port + 99
            ),
        )
        .unwrap();
        fs::write(
            folder.join("etc/libvirtd.conf"),
            format!(
                "unix_sock_dir = \"/run/libvirt\"\nauth_unix_rw = \"none\"\n\
                 auth_unix_ro = \"none\"\nunix_sock_rw_perms = \"0700\"\n\
                 host_uuid = \"{:08}-0000-4000-8000-000000000000\"\n\
                 log_outputs = \"3:file:/var/log/libvirt/libvirtd.log\"\n",
                number
            ),
        )
        .unwrap();
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--mount", "--uts", "--pid", "--fork"])
            .args(["--kill-child", "--mount-proc", "sh", "-ec", SCRIPT, "sh"])
            .arg(format!("hv{number}"))
            .arg(&folder)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let libvirtd = Self { folder, process };
        libvirtd.wait_until(|| libvirtd.socket().exists());
        libvirtd
    }

    /// The URI by which this and every other process of the test reaches it.
    pub(crate) fn uri(&self) -> String {
        format!("qemu+unix:///system?socket={}", self.socket().display())
    }

    /// Stops libvirtd in its tracks, or lets it go on.
    pub(crate) fn freeze(&self, frozen: bool) {
        self.signal(if frozen { Signal::SIGSTOP } else { Signal::SIGCONT });
    }

    /// Kills libvirtd, and waits until it has been started again.
    pub(crate) fn crash(&self) {
        let old = self.pid().unwrap();
        self.signal(Signal::SIGKILL);
        self.wait_until(|| self.pid().is_some_and(|pid| pid != old));
    }

    /// Shows it the devices of network taps of these numbers, which the kernel makes in its own `/dev`.
    pub(crate) fn show_taps(&self, numbers: Range<u32>) {
        let root = format!("/proc/{}/root/dev", self.pid().unwrap());
        for number in numbers {
            let link = format!("{root}/tap{number}");
            std::os::unix::fs::symlink(format!("host/tap{number}"), link).unwrap();
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("run/libvirt-sock")
    }

    fn signal(&self, signal: Signal) {
        kill(self.pid().unwrap(), signal).unwrap();
    }

    /// libvirtd as this process sees it: a grandchild of `unshare`.
    fn pid(&self) -> Option<Pid> {
        let unshare = i32::try_from(self.process.id()).unwrap();
        let shell = children(unshare).into_iter().next()?;
        let named = |id: &i32| {
            fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name == "libvirtd\n")
        };
        children(shell).into_iter().find(named).map(Pid::from_raw)
    }

    fn wait_until(&self, holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            let log = || fs::read_to_string(self.folder.join("log/libvirtd.log"));
            assert!(began.elapsed() < STARTS_WITHIN, "libvirtd did not start: {:?}", log());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

impl Drop for PrivateLibvirtd {
    fn drop(&mut self) {
        // `unshare` takes the namespaces with it; it heeds no gentler signal.
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn children(id: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    list.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

/// `$1` is the host's name, `$2` the folder that takes the place of the system's own.
///
/// There is no `/dev/kvm` in it. One that does not work, or is covered by something else, would
/// make libvirt distrust what it knows of QEMU and probe it anew, for 6 s at every start.
const SCRIPT: &str = r#"
hostname "$1"
mount -t tmpfs tmpfs /run
mkdir /run/libvirt
mount --bind "$2/run" /run/libvirt
mount --bind "$2/lib" /var/lib/libvirt
mount --bind "$2/cache" /var/cache/libvirt
mount --bind "$2/log" /var/log/libvirt
mount --bind "$2/etc" /etc/libvirt
mount -t tmpfs -o mode=755 tmpfs "$2/dev"
for device in null zero full random urandom tty; do
    touch "$2/dev/$device"
    mount --bind "/dev/$device" "$2/dev/$device"
done
mkdir "$2/dev/pts" "$2/dev/shm"
mount --bind /dev/pts "$2/dev/pts"
mkdir "$2/dev/host"
mount -t devtmpfs devtmpfs "$2/dev/host"
ln -s pts/ptmx "$2/dev/ptmx"
mount --rbind "$2/dev" /dev
while :; do
    libvirtd -f /etc/libvirt/libvirtd.conf -p /run/libvirtd.pid || true
done
"#;
