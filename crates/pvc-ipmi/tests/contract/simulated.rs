//! A BMC on loopback, played by OpenIPMI's simulator; its chassis is a file.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pvc_common::secret::Secret;
use pvc_ipmi::Bmc;
use tempfile::TempDir;

pub(crate) struct Simulated {
    port: u16,
    child: Child,
    _dir: TempDir,
}

/// The chassis: `get power`, or `set power 0|1`; its state is a file beside it.
const CHASSIS: &str = r#"#!/bin/sh
state="$(dirname "$0")/power"
case "$1 $2" in
  "get power") echo "power:$(cat "$state")" ;;
  "set power") echo "$3" >"$state" ;;
esac
"#;

impl Simulated {
    /// Starts one, with its machine on.
    pub(crate) fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("power"), "1\n").unwrap();
        fs::write(at("chassis"), CHASSIS).unwrap();
        fs::set_permissions(at("chassis"), fs::Permissions::from_mode(0o755)).unwrap();
        let chassis = at("chassis");
        let lan = format!(
            "name \"test\"\nset_working_mc 0x20\n  startlan 1\n    addr 127.0.0.1 {port}\n    \
             priv_limit admin\n    allowed_auths_admin none md2 md5 straight\n    \
             guid a123456789abcdefa123456789abcdef\n  endlan\n  chassis_control \"{}\"\n  \
             user 1 true \"\" \"\" user 10 none md2 md5 straight\n  \
             user 2 true \"admin\" \"secret\" admin 10 none md2 md5 straight\n",
            chassis.display()
        );
        fs::write(at("lan.conf"), lan).unwrap();
        let emulated = "mc_setbmc 0x20\n\
                        mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\n\
                        mc_enable 0x20\n";
        fs::write(at("sim.emu"), emulated).unwrap();
        fs::create_dir(at("state")).unwrap();
        let child = Command::new("ipmi_sim")
            .args(["-n", "-c"])
            .arg(at("lan.conf"))
            .arg("-f")
            .arg(at("sim.emu"))
            .arg("-s")
            .arg(at("state"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("ipmi_sim of the package openipmi; PVC_TEST_NO_SERVICES=1 leaves this out");
        let simulated = Self { port, child, _dir: dir };
        simulated.await_answer();
        simulated
    }

    /// Pings it, as the ASF specification has it, until it answers.
    fn await_answer(&self) {
        const PING: [u8; 12] = [6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x80, 0, 0, 0];
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut answer = [0; 64];
        while Instant::now() < deadline {
            socket.send_to(&PING, ("127.0.0.1", self.port)).unwrap();
            if socket.recv_from(&mut answer).is_ok() {
                return;
            }
        }
        panic!("ipmi_sim does not answer");
    }

    /// How it is reached.
    pub(crate) fn bmc(&self) -> Bmc {
        Bmc {
            host: format!("127.0.0.1:{}", self.port),
            user: "admin".to_owned(),
            password: Secret::new("secret".to_owned()),
        }
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        // Gone already is as well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
