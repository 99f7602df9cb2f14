//! OpenIPMI's simulator of a BMC, whose machine is a file that holds `0` or `1`.

use std::fs::{self, Permissions};
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pvc_common::secret::Secret;
use pvc_ipmi::Bmc;
use tempfile::TempDir;
use tokio::task::JoinHandle;

const PASSWORD: &str = "s3cret";

/// What the simulator runs to look at the machine, and to switch it. It waits for the end.
const CHASSIS: &str = r#"#!/bin/sh -e
cd "$(dirname "$0")"
verb=$1
shift
case $verb in
get)
    for name; do
        case $name in
        power) echo "power:$(cat power)" ;;
        boot) echo boot:default ;;
        esac
    done
    ;;
set)
    while [ $# -ge 2 ]; do
        case $1 in
        power) echo "$2" >new && mv new power ;;
        esac
        shift 2
    done
    ;;
esac
"#;

const MACHINE: &str = "mc_setbmc 0x20\n\
    mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\n\
    mc_enable 0x20\n";

pub(crate) struct Simulator {
    port: u16,
    process: Child,
    folder: TempDir,
}

impl Simulator {
    /// Starts one on a port that was free a moment ago; it answers some moments later.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let port = free_port();
        let chassis = at("chassis");
        fs::write(&chassis, CHASSIS).unwrap();
        fs::set_permissions(&chassis, Permissions::from_mode(0o755)).unwrap();
        fs::write(at("power"), "1\n").unwrap();
        fs::write(at("sim.emu"), MACHINE).unwrap();
        fs::create_dir(at("state")).unwrap();
        let algorithms = "none md2 md5 straight";
        let config = format!(
            "name \"test\"\nset_working_mc 0x20\nstartlan 1\n\
             addr 127.0.0.1 {port}\npriv_limit admin\n\
             allowed_auths_callback {algorithms}\nallowed_auths_user {algorithms}\n\
             allowed_auths_operator {algorithms}\nallowed_auths_admin {algorithms}\n\
             guid a123456789abcdefa123456789abcdef\nendlan\n\
             chassis_control \"{}\"\n\
             user 1 true \"\" \"\" user 10 {algorithms}\n\
             user 2 true \"admin\" \"{PASSWORD}\" admin 10 {algorithms}\n\
             user 3 true \"operator\" \"{PASSWORD}\" operator 10 {algorithms}\n",
            chassis.display()
        );
        fs::write(at("lan.conf"), config).unwrap();
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "ipmi_sim", "-n", "-c"])
            .arg(at("lan.conf"))
            .arg("-f")
            .arg(at("sim.emu"))
            .arg("-s")
            .arg(at("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { port, process, folder }
    }

    pub(crate) fn bmc(&self, user: &str) -> Bmc {
        bmc_at(self.port, user)
    }

    pub(crate) fn is_on(&self) -> bool {
        fs::read_to_string(self.folder.path().join("power")).unwrap().trim() == "1"
    }

    /// Stops it in its tracks, or lets it go on.
    pub(crate) fn freeze(&self, frozen: bool) {
        let signal = if frozen { Signal::SIGSTOP } else { Signal::SIGCONT };
        let pid = i32::try_from(self.process.id()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// What it takes to log in to a simulator at this port.
pub(crate) fn bmc_at(port: u16, user: &str) -> Bmc {
    Bmc {
        host: format!("127.0.0.1:{port}"),
        user: user.to_owned(),
        password: Secret::new(PASSWORD.to_owned()),
    }
}

pub(crate) fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A bad line to a BMC: it loses the first question, and delivers each answer once more when the
/// next question has been asked.
pub(crate) struct BadLine {
    port: u16,
    carrier: JoinHandle<()>,
}

impl BadLine {
    pub(crate) async fn to(simulator: &Simulator) -> Self {
        let outside = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        outside.connect(("127.0.0.1", simulator.port)).await.unwrap();
        let inside = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = inside.local_addr().unwrap().port();
        let carrier = tokio::spawn(async move {
            let (mut asked, mut answered) = ([0; 1024], [0; 1024]);
            let (_, asker) = inside.recv_from(&mut asked).await.unwrap();
            let mut last = Vec::new();
            loop {
                tokio::select! {
                    length = inside.recv(&mut asked) => {
                        inside.send_to(&last, asker).await.unwrap();
                        outside.send(&asked[..length.unwrap()]).await.unwrap();
                    }
                    length = outside.recv(&mut answered) => {
                        let answer = &answered[..length.unwrap()];
                        inside.send_to(answer, asker).await.unwrap();
                        last = answer.to_vec();
                    }
                }
            }
        });
        Self { port, carrier }
    }

    pub(crate) fn bmc(&self, user: &str) -> Bmc {
        bmc_at(self.port, user)
    }
}

impl Drop for BadLine {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}
