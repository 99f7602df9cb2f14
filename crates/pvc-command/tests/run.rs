//! What a caller sees of real programs.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use pvc_command::{Command, CommandError};

const SOON: Duration = Duration::from_secs(20);

fn shell(script: &str, limit: Duration) -> Command {
    Command::new("sh", limit).args(["-c", script])
}

#[tokio::test]
async fn output_is_captured() {
    let output = shell("echo out; echo err >&2", SOON).run().await.unwrap();
    assert_eq!(output.stdout, "out\n");
    assert_eq!(output.stderr, "err\n");
}

#[tokio::test]
async fn arguments_are_never_interpreted() {
    let output = Command::new("echo", SOON).arg("$(id) *;").run().await.unwrap();
    assert_eq!(output.stdout, "$(id) *;\n");
}

#[tokio::test]
async fn input_and_environment_reach_the_program() {
    let output = shell("cat; echo $COLOUR", SOON)
        .stdin("from stdin\n")
        .env("COLOUR", "blue")
        .run()
        .await
        .unwrap();
    assert_eq!(output.stdout, "from stdin\nblue\n");
}

#[tokio::test]
async fn a_program_that_ignores_its_input_has_not_failed() {
    let input = vec![b'x'; 1 << 20];
    shell("exit 0", SOON).stdin(input).run().await.unwrap();
}

#[tokio::test]
async fn a_failure_tells_status_and_last_words() {
    let error = shell("echo partial; echo no such pool >&2; exit 3", SOON).run().await.unwrap_err();
    assert_eq!(error.to_string(), "`sh` failed (status 3): no such pool");
    let CommandError::Failed { code, stdout, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!((code, stdout.as_str()), (Some(3), "partial\n"));
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let error = Command::new("no-such-program", SOON).run().await.unwrap_err();
    assert_eq!(error.to_string(), "could not start `no-such-program`");
    assert!(matches!(error, CommandError::Spawn { .. }));
}

#[tokio::test]
async fn too_much_output_ends_the_program() {
    let error = Command::new("yes", SOON).stdout_limit_bytes(1000).run().await.unwrap_err();
    assert_eq!(error.to_string(), "`yes` wrote more than 1000 bytes");
}

/// A script that writes its shell's and its child's process id to a file and then hangs.
fn hanging(file: &std::path::Path) -> String {
    format!("sleep 600 & echo $$ $! > {}; wait", file.display())
}

fn ids(file: &std::path::Path) -> Vec<i32> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

/// Whether a process executes; a zombie does not.
fn executes(id: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().starts_with(" Z"))
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < SOON, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn past_the_limit_the_program_and_its_children_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ids");
    let limit = Duration::from_millis(500);
    let began = Instant::now();
    let error = shell(&hanging(&file), limit).run().await.unwrap_err();
    assert_eq!(error.to_string(), "`sh` was not done within 500 ms");
    assert!(began.elapsed() < SOON);
    let ids = ids(&file);
    assert_eq!(ids.len(), 2);
    until("all are gone", || !ids.iter().any(|id| executes(*id))).await;
}

#[tokio::test]
async fn dropping_the_future_kills_the_program_and_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ids");
    let running = tokio::spawn(shell(&hanging(&file), SOON).run());
    until("it has started", || ids(&file).len() == 2).await;
    running.abort();
    let ids = ids(&file);
    until("all are gone", || !ids.iter().any(|id| executes(*id))).await;
}

#[test]
fn neither_secret_arguments_nor_environment_nor_input_are_shown() {
    let command = Command::new("ipmitool", SOON)
        .args(["-P", "hunter2"])
        .env("IPMI_PASSWORD", "hunter2")
        .stdin("hunter2")
        .secret();
    assert_eq!(format!("{command} {command:?}"), "ipmitool ... Command(ipmitool ...)");
}
