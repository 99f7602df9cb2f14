//! What a caller sees of real programs.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pvc_command::{Command, CommandError};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};

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

#[tokio::test]
async fn a_stream_reaches_the_program_to_its_end() {
    // More than any pipe holds.
    let mut input = tokio::io::AsyncReadExt::take(tokio::io::repeat(b'x'), 3 << 20);
    let output = shell("wc -c", SOON).run_on(&mut input).await.unwrap();
    assert_eq!(output.stdout.trim(), "3145728");
}

#[tokio::test]
async fn a_stream_may_take_longer_than_the_limit_if_it_goes_on() {
    let (mut writer, mut input) = tokio::io::duplex(16);
    let limit = Duration::from_millis(1500);
    let feeding = tokio::spawn(async move {
        for _ in 0..8 {
            writer.write_all(b"0123456789abcdef").await.unwrap();
            tokio::time::sleep(limit / 5).await;
        }
    });
    let began = Instant::now();
    let output = shell("wc -c", limit).run_on(&mut input).await.unwrap();
    assert_eq!(output.stdout.trim(), "128");
    assert!(began.elapsed() > limit, "or nothing was tested");
    feeding.await.unwrap();
}

/// What a failing stream gave before.
struct Broken(&'static [u8]);

impl AsyncRead for Broken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.0.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        buffer.put_slice(std::mem::take(&mut self.0));
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_not_taken_for_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let script = format!("cat > /dev/null; echo whole > {}", whole.display());
    let error = shell(&script, SOON).run_on(&mut Broken(b"part")).await.unwrap_err();
    assert_eq!(error.to_string(), "the input of `sh` broke off");
    assert!(!whole.exists());
}

#[tokio::test]
async fn a_stream_that_stands_still_is_given_up() {
    let limit = Duration::from_millis(300);
    let (_silent, mut input) = tokio::io::duplex(16);
    let error = shell("cat", limit).run_on(&mut input).await.unwrap_err();
    let CommandError::Input { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source.kind(), io::ErrorKind::TimedOut);

    // A program that reads nothing, and one that does not end.
    for script in ["sleep 600", "cat > /dev/null; sleep 600"] {
        let mut input = tokio::io::AsyncReadExt::take(tokio::io::repeat(0), 3 << 20);
        let error = shell(script, limit).run_on(&mut input).await.unwrap_err();
        assert!(matches!(error, CommandError::TimedOut { .. }), "{script}: {error:?}");
    }
}

#[tokio::test]
async fn no_more_of_a_stream_is_read_than_the_program_takes() {
    let mut input = tokio::io::AsyncReadExt::take(tokio::io::repeat(0), 1 << 40);
    let error = shell("sleep 600", Duration::from_millis(300)).run_on(&mut input).await;
    assert!(matches!(error, Err(CommandError::TimedOut { .. })), "{error:?}");
    let read = (1 << 40) - input.limit();
    assert!(read <= 1 << 20, "{read} bytes are held");
}

#[tokio::test]
async fn a_program_that_wants_no_more_of_a_stream_is_not_waited_for() {
    let (_silent, mut input) = tokio::io::duplex(16);
    let error = shell("echo full >&2; exit 3", SOON).run_on(&mut input).await.unwrap_err();
    assert_eq!(error.to_string(), "`sh` failed (status 3): full");
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
