//! One suite for whom an FRR hears, on one in memory and on a real one with a peer, in namespaces.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use pvc_host::fake::FakeHost;
use pvc_host::real::FrrReload;
use pvc_host::{Frr, FrrError};

const OWN: Ipv4Addr = Ipv4Addr::new(10, 255, 0, 1);
const PEER: Ipv4Addr = Ipv4Addr::new(10, 255, 0, 2);
/// Nobody is there.
const NOBODY: Ipv4Addr = Ipv4Addr::new(10, 255, 0, 3);

/// A session is there or gone within this, even on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// What FRR is told, with timers that do not make a test wait.
fn configuration(own: Ipv4Addr, peers: &[Ipv4Addr]) -> String {
    let mut text = format!(
        "router bgp 65500\n bgp router-id {own}\n no bgp default ipv4-unicast\n timers bgp 1 3\n"
    );
    for peer in peers {
        text += &format!(" neighbor {peer} remote-as 65500\n neighbor {peer} timers connect 1\n");
    }
    text += " address-family l2vpn evpn\n";
    for peer in peers {
        text += &format!("  neighbor {peer} activate\n");
    }
    text + " exit-address-family\n"
}

/// Waits until just these are heard.
async fn hears(frr: &impl Frr, expected: &[Ipv4Addr]) {
    let began = Instant::now();
    let expected: BTreeSet<Ipv4Addr> = expected.iter().copied().collect();
    loop {
        let heard = frr.heard().await;
        if heard.as_ref().is_ok_and(|heard| *heard == expected) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{heard:?} instead of {expected:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// `part` ends the peer, `stop` the FRR itself.
async fn suite(frr: &impl Frr, part: impl FnOnce(), stop: impl FnOnce()) {
    hears(frr, &[PEER]).await;
    part();
    hears(frr, &[]).await;
    stop();
    let outcome = frr.heard().await;
    assert!(matches!(outcome, Err(FrrError::Silent { .. })), "{outcome:?}");
}

#[tokio::test]
async fn an_frr_in_memory_keeps_the_contract() {
    let host = FakeHost::new();
    host.install_frr(Some(&configuration(OWN, &[PEER, NOBODY])));
    host.part_frr_from(NOBODY, true);
    suite(&host, || host.part_frr_from(PEER, true), || host.stop_frr(true)).await;
}

/// On one thread: namespaces belong to the thread that made them.
#[tokio::test(flavor = "current_thread")]
async fn a_real_frr_keeps_the_contract() {
    if std::env::var_os("PVC_TEST_NO_SERVICES").is_some() {
        return;
    }
    own_namespaces();
    let mut peer = Speaker::begin(&["unshare", "--net", "--mount"], PEER, &[OWN]);
    peer.is_apart();
    let device = "link add speaker type veth peer name speaker netns";
    run(&format!("ip {device} {}", peer.0.id()));
    let mut own = Speaker::begin(&[], OWN, &[PEER, NOBODY]);
    suite(&FrrReload::default(), || peer.end(), || own.end()).await;
}

/// Moves this thread into namespaces of its own for networks and mounts, which what it starts shares.
#[expect(unsafe_code, reason = "the standard library knows no namespaces")]
fn own_namespaces() {
    // SAFETY: a call with plain numbers that affects what this thread sees only.
    let moved = unsafe { libc::unshare(libc::CLONE_NEWNET | libc::CLONE_NEWNS) };
    assert_eq!(moved, 0, "namespaces need root; PVC_TEST_NO_SERVICES=1 leaves this out");
    run("mount --make-rprivate /");
}

fn run(line: &str) {
    let mut words = line.split(' ');
    let status = Command::new(words.next().unwrap()).args(words).status().unwrap();
    assert!(status.success(), "{line}");
}

/// FRR's daemon for BGP, which ends with this. It begins once it has its device, `speaker`.
struct Speaker(Child);

impl Speaker {
    const SCRIPT: &str = "set -e\n\
        mount -t tmpfs tmpfs /run\n\
        mkdir /run/frr\n\
        echo \"$CONFIGURATION\" > /run/frr/bgpd.conf\n\
        chown -R frr:frr /run/frr\n\
        until ip link set speaker up 2> /dev/null; do sleep 0.1; done\n\
        ip address add $OWN/24 dev speaker\n\
        ip link set lo up\n\
        exec /usr/lib/frr/bgpd -Z -A 127.0.0.1 -f /run/frr/bgpd.conf\n";

    /// With this address, where `inside` puts it.
    fn begin(inside: &[&str], own: Ipv4Addr, peers: &[Ipv4Addr]) -> Self {
        let words: Vec<&str> = inside.iter().copied().chain(["sh", "-c", Self::SCRIPT]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env("OWN", own.to_string());
        Self(command.env("CONFIGURATION", configuration(own, peers)).spawn().unwrap())
    }

    /// Waits until it is in a namespace of its own.
    fn is_apart(&self) {
        let namespace = |of: &str| fs::read_link(format!("/proc/{of}/ns/net")).unwrap();
        let (here, began) = (namespace("thread-self"), Instant::now());
        while namespace(&self.0.id().to_string()) == here {
            assert!(began.elapsed() < PATIENCE, "it stays here");
            std::thread::yield_now();
        }
    }

    fn end(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        // Where a test failed; it may have ended long ago.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
