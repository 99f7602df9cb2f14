//! The thread that writes lines to stdout and to the log file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Lines waiting for a slow disk; more than a start-up writes, and about a megabyte.
const QUEUED: usize = 8_192;
/// A stuck disk must not keep a daemon from ending.
const LONGEST_FLUSH: Duration = Duration::from_secs(2);

/// What the thread is woken up for.
#[derive(Debug)]
enum Note {
    /// A line to write.
    Line(String),
    /// Something in [`Shared`] has changed.
    Look,
}

/// What lines are written to beside the file.
pub(super) type Stdout = Box<dyn Write + Send>;

/// Takes lines without ever waiting.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    notes: SyncSender<Note>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    dropped: AtomicU64,
    reopen: AtomicBool,
    stop: AtomicBool,
}

/// Makes the writer open its file anew.
#[derive(Clone, Debug)]
pub struct Reopen(Queue);

/// Waits for what is queued to be written, for two seconds at most, when dropped.
#[derive(Debug)]
pub struct Flush {
    queue: Queue,
    ended: Mutex<Receiver<()>>,
}

/// Starts the thread.
///
/// # Errors
/// When the file cannot be opened or no thread can be started.
pub(super) fn start(stdout: Option<Stdout>, path: Option<PathBuf>) -> io::Result<(Queue, Flush)> {
    let file = path.as_deref().map(open).transpose()?;
    let (notes, queued) = sync_channel(QUEUED);
    let (end, ended) = sync_channel(1);
    let shared = Arc::new(Shared::default());
    let writer = Writer { queued, shared: Arc::clone(&shared), stdout, path, file, _end: end };
    std::thread::Builder::new().name("log".to_owned()).spawn(move || writer.run())?;
    let queue = Queue { notes, shared };
    Ok((queue.clone(), Flush { queue, ended: Mutex::new(ended) }))
}

impl Queue {
    /// Queues a line, or counts it as dropped if the queue is full.
    pub(super) fn push(&self, line: String) {
        if self.notes.try_send(Note::Line(line)).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn reopen(&self) -> Reopen {
        Reopen(self.clone())
    }

    /// Asks the thread to do what `flag` says.
    fn raise(&self, flag: &AtomicBool) {
        flag.store(true, Ordering::Release);
        match self.notes.try_send(Note::Look) {
            // A full queue keeps the thread awake, and without the thread there is nothing to do.
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }
}

impl Reopen {
    /// Lets the next line go to a newly opened file.
    pub fn reopen(&self) {
        self.0.raise(&self.0.shared.reopen);
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        self.queue.raise(&self.queue.shared.stop);
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread's end of this channel sends nothing: it is dropped when the thread ends.
        if ended.recv_timeout(LONGEST_FLUSH) == Err(RecvTimeoutError::Timeout) {
            self.queue.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn open(path: &std::path::Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path).map_err(|error| {
        let message = format!("log file {} cannot be opened: {error}", path.display());
        io::Error::new(error.kind(), message)
    })
}

struct Writer {
    queued: Receiver<Note>,
    shared: Arc<Shared>,
    stdout: Option<Stdout>,
    path: Option<PathBuf>,
    file: Option<File>,
    _end: SyncSender<()>,
}

impl Writer {
    fn run(mut self) {
        while let Ok(note) = self.queued.recv() {
            let rest: Vec<Note> = self.queued.try_iter().take(QUEUED).collect();
            self.reopen_if_asked();
            self.write(std::iter::once(note).chain(rest));
            // Whoever asks to stop has queued all that is to be written.
            if self.shared.stop.load(Ordering::Acquire) {
                let rest: Vec<Note> = self.queued.try_iter().take(QUEUED).collect();
                self.write(rest.into_iter());
                return;
            }
        }
    }

    /// Writes the lines among the notes in one go.
    fn write(&mut self, notes: impl Iterator<Item = Note>) {
        let mut text = String::new();
        let dropped = self.shared.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            text = format!("warning: {dropped} log lines were lost: writing was too slow\n");
        }
        for note in notes {
            match note {
                Note::Line(line) => {
                    text.push_str(&line);
                    text.push('\n');
                }
                Note::Look => {}
            }
        }
        // A full disk or a closed pipe leaves nowhere to complain.
        if let Some(stdout) = &mut self.stdout {
            let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
            self.count_failure(written);
        }
        if let Some(file) = &mut self.file {
            let written = file.write_all(text.as_bytes());
            self.count_failure(written);
        }
    }

    fn count_failure(&self, written: io::Result<()>) {
        if written.is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn reopen_if_asked(&mut self) {
        if !self.shared.reopen.swap(false, Ordering::AcqRel) {
            return;
        }
        // A file that cannot be opened anew leaves the old one in use: better than none.
        if let Some(Ok(file)) = self.path.as_deref().map(open) {
            self.file = Some(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_queued_is_in_the_file_after_the_flush() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.log");
        let (queue, flush) = start(None, Some(path.clone())).unwrap();
        for n in 0..100 {
            queue.push(format!("line {n}"));
        }
        drop(flush);
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().count(), 100);
        assert!(text.ends_with("line 99\n"));
    }

    #[test]
    fn a_rotated_file_is_followed_by_a_new_one() {
        let directory = tempfile::tempdir().unwrap();
        let (path, old) = (directory.path().join("x.log"), directory.path().join("x.log.1"));
        let (queue, flush) = start(None, Some(path.clone())).unwrap();
        std::fs::rename(&path, &old).unwrap();
        queue.reopen().reopen();
        queue.push("after".to_owned());
        drop(flush);
        assert_eq!(std::fs::read_to_string(path).unwrap(), "after\n");
        assert_eq!(std::fs::read_to_string(old).unwrap(), "");
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_named() {
        let error = start(None, Some("/nonexistent/x.log".into())).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/x.log"), "{error}");
    }
}
