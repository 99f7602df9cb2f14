//! What of a daemon's events becomes lines, where, and what they look like.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::date::Date;
use super::*;

/// Where a test sees what goes to stdout.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What was written when everything is over.
struct Written {
    screen: String,
    file: String,
    ring: String,
}

fn settings() -> Settings {
    Settings {
        daemon: "pvctest",
        debug: false,
        stdout: true,
        directory: None,
        colours: false,
        dates: false,
        ring_lines: 10,
    }
}

/// Logs what a daemon and the libraries below it log.
fn written(settings: &Settings) -> Written {
    let directory: TempDir = tempfile::tempdir().unwrap();
    let settings = Settings {
        directory: settings.directory.as_ref().map(|_| directory.path().to_owned()),
        ..settings.clone()
    };
    let screen = Screen::default();
    let (subscriber, logging) = prepare(&settings, || Box::new(screen.clone())).unwrap();
    let Logging { ring, flush, .. } = logging;
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(target: "pvcnoded::x", mark = mark::TICK, "keepalive sent");
        tracing::info_span!(target: "pvcnoded::x", "fence").in_scope(|| {
            let _vm = tracing::info_span!(target: "pvcnoded::x", "vm", name = "web1").entered();
            tracing::debug!(target: "pvcnoded::x", tries = 2, "looked");
            tracing::warn!(target: "pvcnoded::x", "late");
        });
        tracing::debug!(target: "pvc_zk::y", "no task");
        tracing::info!(target: "library", "chatter");
        tracing::warn!(target: "library", "trouble");
    });
    drop(flush);
    let screen = String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
    let file = std::fs::read_to_string(directory.path().join("pvctest.log")).unwrap_or_default();
    Written { screen, file, ring: ring.text() }
}

#[test]
fn without_debug_there_are_no_details_and_no_chatter() {
    let screen = written(&settings()).screen;
    assert_eq!(screen, "tick: keepalive sent\nwarning: late\nwarning: trouble\n");
}

#[test]
fn details_name_the_task_that_they_come_from() {
    let screen = written(&Settings { debug: true, ..settings() }).screen;
    let lines: Vec<&str> = screen.lines().collect();
    assert_eq!(lines.len(), 5, "the chatter of libraries stays away: {screen}");
    let of_task = lines.iter().find(|line| line.contains("looked tries=2")).unwrap();
    assert!(of_task.contains("fence:vm{name=web1}"), "{of_task}");
    let of_none = lines.iter().find(|line| line.contains("no task")).unwrap();
    assert!(of_none.contains("pvc_zk::y"), "{of_none}");
    assert!(lines.contains(&"warning: late"), "{screen}");
}

#[test]
fn lines_carry_dates_where_that_is_wanted_and_in_the_cluster_always() {
    let year = Date::now().to_string()[..5].to_owned();
    for dates in [false, true] {
        let Written { screen, ring, .. } = written(&Settings { dates, ..settings() });
        let all = |text: &str| text.lines().all(|line| line.contains(&year));
        assert_eq!(all(&screen), dates, "{screen}");
        assert!(all(&ring) && ring.lines().all(|line| line.starts_with("pvctest:    ")), "{ring}");
    }
}

#[test]
fn lines_go_where_they_are_wanted() {
    for (stdout, file) in [(true, true), (true, false), (false, true), (false, false)] {
        let directory = file.then(PathBuf::new);
        let written = written(&Settings { stdout, directory, ..settings() });
        assert_eq!(written.screen.contains("warning: late"), stdout, "{stdout} {file}");
        assert_eq!(written.file.contains("warning: late"), file, "{stdout} {file}");
    }
}
