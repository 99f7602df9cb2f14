//! A guest: a network namespace with one interface, and clients of DHCP.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long anything may take that a guest waits for.
const LIMIT: Duration = Duration::from_secs(30);

/// What a client does with what it gets: it tells, in a file, and takes the address of IPv4.
const TELL: &str = "#!/bin/sh\n\
    case \"$1\" in bound|renew) ip address replace \"$ip/24\" dev eth0; echo \"$ip $router $dns $domain\" >>TOLD;; esac\n\
    case \"$reason\" in BOUND6|REBOOT6|RENEW6|REBIND6) echo \"$new_ip6_address\" >>TOLD;; esac\n";

pub(crate) struct Guest {
    /// Keeps the namespace as long as its input is open.
    holder: Child,
    folder: TempDir,
}

impl Guest {
    /// A guest with an interface of this hardware address on a bridge of ours.
    pub(crate) fn plug_into(bridge: &str, mac: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let tap = format!("tap{}", COUNT.fetch_add(1, Ordering::Relaxed));
        // Its own addresses are usable at once.
        let ready = "for all in default all; do echo 0 >/proc/sys/net/ipv6/conf/$all/accept_dad; done; \
                     echo ready; exec cat";
        let mut holder = Command::new("unshare")
            .args(["--net", "sh", "-c", ready])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "ready\n");
        let pid = holder.id().to_string();
        let folder = tempfile::tempdir().unwrap();
        let tell = folder.path().join("tell");
        let told = folder.path().join("told").display().to_string();
        std::fs::write(&tell, TELL.replace("TOLD", &told)).unwrap();
        std::fs::set_permissions(&tell, std::fs::Permissions::from_mode(0o755)).unwrap();
        let words = ["link", "add", &tap, "type", "veth", "peer", "name", "eth0", "netns", &pid];
        run(Command::new("ip").args(words));
        run(Command::new("ip").args(["link", "set", &tap, "master", bridge, "up"]));
        let guest = Self { holder, folder };
        guest.run(&["ip", "link", "set", "eth0", "address", mac, "up"]);
        guest
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.holder.id())).args(words);
        command
    }

    /// Runs a program in the guest; what it says.
    pub(crate) fn run(&self, words: &[&str]) -> String {
        run(&mut self.command(words))
    }

    fn told(&self) -> PathBuf {
        self.folder.path().join("told")
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn last_told(&self) -> String {
        let told = std::fs::read_to_string(self.told()).unwrap_or_default();
        std::fs::remove_file(self.told()).ok();
        told.lines().last().unwrap_or_default().to_owned()
    }

    /// What DHCP gives it: address, router, server of names, domain.
    pub(crate) fn dhcp4(&self, hostname: &str) -> String {
        let (tell, name) = (self.at("tell"), format!("hostname:{hostname}"));
        let client = ["busybox", "udhcpc", "-i", "eth0", "-f", "-q", "-n", "-t", "10"];
        self.run(&[&client[..], &["-s", &tell, "-x", &name]].concat());
        self.last_told()
    }

    /// The address that DHCP gives it for IPv6.
    pub(crate) fn dhcp6(&self) -> String {
        let (leases, pid, tell) = (self.at("leases"), self.at("pid"), self.at("tell"));
        let files = ["-lf", &leases, "-pf", &pid, "-sf", &tell];
        self.run(&[&["timeout", "30", "dhclient", "-6", "-1"][..], &files, &["eth0"]].concat());
        let address = self.last_told();
        // It stays in the background to renew the lease; the next one shall ask anew.
        self.run(&[&["dhclient", "-6", "-x"][..], &files, &["eth0"]].concat());
        address
    }

    /// What a server of names says.
    pub(crate) fn lookup(&self, name: &str, server: &str) -> String {
        self.run(&["busybox", "nslookup", name, server])
    }

    /// Its addresses of IPv6 that are good elsewhere, too.
    pub(crate) fn addresses6(&self) -> Vec<String> {
        let shown = self.run(&["ip", "-6", "-oneline", "address", "show", "scope", "global"]);
        let words = shown.lines().filter_map(|line| line.split_whitespace().nth(3));
        words.filter_map(|address| address.split_once('/')).map(|(ip, _)| ip.to_owned()).collect()
    }

    /// Waits until there is something to be found.
    pub(crate) async fn until<T>(&self, what: &str, find: impl Fn() -> Option<T>) -> T {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(found) = find() {
                return found;
            }
            assert!(Instant::now() < end, "never: {what}\n{}", self.run(&["ip", "address"]));
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.holder.kill().ok();
        self.holder.wait().ok();
    }
}

/// Runs a program to its end; what it says.
pub(crate) fn run(command: &mut Command) -> String {
    let done = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{command:?}: {out}{err}");
    out.into_owned()
}

/// Everybody may look into a folder, as dnsmasq's own user has to.
pub(crate) fn open_to_all(folder: &Path) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}
