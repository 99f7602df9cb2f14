//! Ceph's programs are called rightly and their answers understood: by stand-ins that write down
//! how they were called, and answer what the real ones of Ceph 16.2 do.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pvc_ceph::{Ceph, CephCli, CephError, Epoch};
use pvc_common::id::{OsdId, VolumeId};
use pvc_common::state::OsdLoss;
use tempfile::TempDir;

/// Stand-ins for `ceph` and `rbd`, of which each is a shell's `case` over its words.
struct Programs(TempDir);

impl Programs {
    fn new(cases: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["ceph", "rbd"] {
            let path = folder.path().join(name);
            let script = format!(
                "#!/bin/sh\ncd '{}'\necho \"{name} $*\" >> calls\ncase \"{name} $*\" in\n\
                 {cases}\n*) echo \"what is $*?\" >&2; exit 22;;\nesac\n",
                folder.path().display()
            );
            install(&script, &path);
        }
        Self(folder)
    }

    fn cli(&self) -> CephCli {
        // More than a stand-in takes on a busy machine.
        CephCli::new().programs_in(self.0.path().to_str().unwrap()).limit(Duration::from_secs(30))
    }

    /// How they were called, in alphabetical order: some are called at once.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.0.path().join("calls")).unwrap_or_default();
        fs::remove_file(self.0.path().join("calls")).unwrap_or_default();
        let mut calls: Vec<String> = calls.lines().map(ToOwned::to_owned).collect();
        calls.sort();
        calls
    }
}

/// Writes a program by another process: one that this process has open for writing, while a thread
/// of another test starts a program, cannot be started.
fn install(script: &str, path: &Path) {
    let mut installing = Command::new("install")
        .args(["--mode", "755", "/dev/stdin"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    installing.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(installing.wait().unwrap().success());
}

fn hosts() -> [IpAddr; 2] {
    ["10.0.0.1", "2001:db8::1"].map(|text| text.parse().unwrap())
}

fn image() -> VolumeId {
    "vms/web1_sda".parse().unwrap()
}

const HOUR: Duration = Duration::from_secs(3600);

/// Both hosts are shut out for an hour.
const ADDED: &str = r#"
"ceph osd blocklist add "*) echo "blocklisting $4 until 2026-11-26T00:23:57.400002+0000 (3600 sec)" >&2;;
"ceph osd dump --format json") echo; echo '{"epoch":38,"blocklist":{"10.0.0.1:0/0":"2026-11-26T00:23:57.400002+0000","[2001:db8::1]:0/0":"2026-11-26T00:23:56.400002+0000"},"range_blocklist":{}}';;
"#;

#[tokio::test]
async fn a_host_is_shut_out_and_the_epoch_is_told() {
    let programs = Programs::new(ADDED);
    assert_eq!(programs.cli().blocklist(&hosts(), HOUR).await.unwrap(), Epoch(38));
    let expected = [
        "ceph osd blocklist add 10.0.0.1:0/0 3600",
        "ceph osd blocklist add [2001:db8::1]:0/0 3600",
        "ceph osd dump --format json",
    ];
    assert_eq!(programs.calls(), expected);
}

/// Ceph keeps the time of an entry that is there when it is added again, which would let a host
/// in again while it is believed to be shut out.
#[tokio::test]
async fn an_entry_that_would_end_too_soon_is_replaced_without_a_gap() {
    let programs = Programs::new(
        r#"
"ceph osd blocklist add "*) test -e removed && touch added; echo "blocklisting $4 until 2026-11-26T00:23:57.400002+0000 (3600 sec)" >&2;;
"ceph osd blocklist range add 10.0.0.1/32 3600") touch range;;
"ceph osd blocklist rm 10.0.0.1:0/0") test -e range && touch removed;;
"ceph osd blocklist range rm 10.0.0.1/32") if test -e range; then test -e added; fi;;
"ceph osd dump --format json")
    hour=23; test -e added && hour=00
    echo '{"epoch":38,"blocklist":{"10.0.0.1:0/0":"2026-11-26T'$hour':23:57.400002+0000"}}' | sed s/26T23/25T23/;;
"#,
    );
    programs.cli().blocklist(&hosts()[..1], HOUR).await.unwrap();
    assert_eq!(programs.calls().len(), 8);
}

#[tokio::test]
async fn an_entry_that_is_not_there_after_all_is_an_error() {
    let programs = Programs::new(
        r#"
"ceph osd blocklist add "*) echo "blocklisting $4 until 2026-11-26T00:23:57.400002+0000 (3600 sec)" >&2;;
"ceph osd blocklist "*) ;;
"ceph osd dump --format json") echo '{"epoch":38,"blocklist":{"10.0.0.1:0/7":"2026-11-26T00:23:57.400002+0000"}}';;
"#,
    );
    let missing = programs.cli().blocklist(&hosts()[..1], HOUR).await;
    assert!(matches!(missing, Err(CephError::Refused { .. })), "{missing:?}");
}

#[tokio::test]
async fn a_host_is_let_in_again_with_all_that_shut_it_out() {
    let programs = Programs::new(
        r#"
"ceph osd dump --format json") echo '{"epoch":38,"blocklist":{"10.0.0.1:0/0":"2026-11-26T00:23:57.4+0000","10.0.0.1:0/7":"2026-11-26T00:23:57.4+0000","10.0.0.3:0/0":"2026-11-26T00:23:57.4+0000"},"range_blocklist":{"cidr:10.0.0.1:0/32":"2026-11-26T00:23:57.4+0000"}}';;
"ceph osd blocklist "*) ;;
"#,
    );
    programs.cli().unblocklist(&hosts()).await.unwrap();
    let expected = [
        "ceph osd blocklist range rm 10.0.0.1/32",
        "ceph osd blocklist rm 10.0.0.1:0/0",
        "ceph osd dump --format json",
    ];
    assert_eq!(programs.calls(), expected);
}

#[tokio::test]
async fn osds_are_marked_down_together() {
    let programs = Programs::new(
        r#"
"ceph osd down 1 12 --definitely-dead") ;;
"ceph osd down 1 12") ;;
"#,
    );
    programs.cli().mark_down(&[OsdId(1), OsdId(12)], OsdLoss::Dead).await.unwrap();
    programs.cli().mark_down(&[OsdId(1), OsdId(12)], OsdLoss::Down).await.unwrap();
    programs.cli().mark_down(&[], OsdLoss::Dead).await.unwrap();
    assert_eq!(programs.calls().len(), 2);
    let refused =
        programs.cli().mark_down(&[OsdId(2)], OsdLoss::Dead).await.unwrap_err().to_string();
    assert!(refused.contains("what is osd down 2"), "{refused}");
}

#[tokio::test]
async fn a_lock_is_seen_and_taken_away() {
    let programs = Programs::new(
        r#"
"rbd lock ls vms/web1_sda --format json") echo '[{"id":"auto 140124180450752","locker":"client.4385","address":"127.0.0.1:0/2855931227"}]';;
"rbd lock ls vms/none --format json") echo "rbd: error opening image none: (2) No such file or directory" >&2; exit 2;;
"rbd lock rm vms/web1_sda auto 140124180450752 client.4385")
    test -e gone && { echo "rbd: releasing lock failed: (2) No such file or directory" >&2; exit 2; }
    touch gone;;
"#,
    );
    let locks = programs.cli().locks(&image()).await.unwrap();
    assert_eq!(locks.len(), 1);
    for _ in 0..2 {
        programs.cli().remove_lock(&image(), &locks[0]).await.unwrap();
    }
    let none = programs.cli().locks(&"vms/none".parse().unwrap()).await;
    assert!(matches!(none, Err(CephError::NoImage { .. })), "{none:?}");
}

#[tokio::test]
async fn an_answer_in_other_words_is_not_taken_for_one() {
    let programs = Programs::new("*) echo '{}';;");
    let ceph = programs.cli();
    let answers = [
        ceph.blocklist(&hosts(), HOUR).await.map(drop),
        ceph.blocklisted().await.map(drop),
        ceph.unblocklist(&hosts()).await,
        ceph.locks(&image()).await.map(drop),
    ];
    for answer in answers {
        assert!(matches!(answer, Err(CephError::Unreadable { .. })), "{answer:?}");
    }
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_not_waited_for() {
    let programs = Programs::new("*) exec sleep 600;;");
    let began = Instant::now();
    let limit = Duration::from_millis(200);
    let none = programs.cli().limit(limit).locks(&image()).await;
    assert!(matches!(none, Err(CephError::NoAnswer { waited, .. }) if waited == limit), "{none:?}");
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn a_machine_without_ceph_says_so() {
    assert!(!Path::new("/nonexistent").exists());
    let absent =
        CephCli::new().programs_in("/nonexistent").mark_down(&[OsdId(1)], OsdLoss::Dead).await;
    assert!(matches!(absent, Err(CephError::Absent { program: "ceph" })), "{absent:?}");
}

#[tokio::test]
async fn the_configuration_and_the_keyring_that_are_given_are_those_that_are_used() {
    let programs = Programs::new("*) echo '[]';;");
    let ceph = programs.cli().conf("/srv/ceph.conf").keyring("/srv/keyring");
    ceph.locks(&image()).await.unwrap();
    ceph.mark_down(&[OsdId(1)], OsdLoss::Dead).await.unwrap();
    let files = "--conf /srv/ceph.conf --keyring /srv/keyring";
    let calls = [
        format!("ceph {files} osd down 1 --definitely-dead"),
        format!("rbd {files} lock ls {} --format json", image()),
    ];
    assert_eq!(programs.calls(), calls);
}
