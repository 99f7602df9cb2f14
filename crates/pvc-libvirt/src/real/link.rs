//! A connection with threads of its own, opened when needed and made anew when it broke.

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use virt::connect::Connect;
use virt::error::Error;

use super::connection::Connection;
use super::failure::Failure;
use super::ffi::Told;

/// A connection and the threads that call through it.
///
/// Dropping it ends the threads once their calls are done; the last one closes the connection.
pub(super) struct Link {
    uri: Arc<str>,
    work: Sender<Work>,
    /// One for each thread, so that nothing waits behind a call that nobody waits for.
    turns: Arc<Semaphore>,
}

type Work = Box<dyn FnOnce(&Slot) + Send>;

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", self.uri)
    }
}

impl Link {
    /// A link that makes up to `threads` calls at a time. libvirtd serves five on a connection
    /// and delays keep-alives when they are exhausted; so at most four.
    pub(super) fn new(uri: &str, threads: usize, told: Option<Told>) -> io::Result<Self> {
        let uri: Arc<str> = uri.into();
        let slot = Arc::new(Slot { uri: Arc::clone(&uri), told, current: Mutex::new(None) });
        let (work, queue) = channel::<Work>();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let (queue, slot) = (Arc::clone(&queue), Arc::clone(&slot));
            thread::Builder::new().name("libvirt-call".to_owned()).spawn(move || {
                while let Some(work) = next(&queue) {
                    work(&slot);
                }
            })?;
        }
        Ok(Self { uri, work, turns: Arc::new(Semaphore::new(threads)) })
    }

    pub(super) fn uri(&self) -> &str {
        &self.uri
    }

    /// Makes calls on the connection, and waits for their result up to `limit`.
    ///
    /// Calls that have begun go on when the limit passes or the future is dropped; others are
    /// not made any more.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        limit: Duration,
        calls: impl FnOnce(&Connect) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        let called = async {
            let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
            let work: Work = Box::new(move |slot| {
                if !answer.is_closed() {
                    let connection = slot.open();
                    // Asked again: opening one to a libvirt that hangs takes as long as it hangs,
                    // and what nobody waits for must not be done later, behind everybody's back.
                    if !answer.is_closed() {
                        let made = connection.and_then(|connection| make(&connection, calls));
                        drop(answer.send(made));
                    }
                }
                drop(turn);
            });
            self.work.send(work).ok()?;
            answered.await.ok()
        };
        match tokio::time::timeout(limit, called).await {
            Ok(Some(result)) => result,
            Ok(None) => {
                let message = "the connection's threads have ended".to_owned();
                Err(Failure::Unreachable { message })
            }
            Err(_) => Err(Failure::NoAnswer { waited: limit }),
        }
    }
}

/// The next piece of work; `None` once the link is gone.
fn next(queue: &Mutex<Receiver<Work>>) -> Option<Work> {
    locked(queue).recv().ok()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing of what is locked here can be left half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn make<T>(
    connection: &Connection,
    calls: impl FnOnce(&Connect) -> Result<T, Error>,
) -> Result<T, Failure> {
    calls(connection.get()).map_err(|error| {
        if connection.is_alive() {
            Failure::Said(error)
        } else {
            Failure::Unreachable { message: error.message().to_owned() }
        }
    })
}

/// Where the threads find the connection. They alone own it, for closing may block.
struct Slot {
    uri: Arc<str>,
    told: Option<Told>,
    current: Mutex<Option<Arc<Connection>>>,
}

impl Slot {
    fn open(&self) -> Result<Arc<Connection>, Failure> {
        self.connection()
            .map_err(|error| Failure::Unreachable { message: error.message().to_owned() })
    }

    fn connection(&self) -> Result<Arc<Connection>, Error> {
        let mut current = locked(&self.current);
        if let Some(connection) = current.as_ref().filter(|connection| connection.is_alive()) {
            return Ok(Arc::clone(connection));
        }
        // Closed before the new one is opened, so that no event is told twice.
        drop(current.take());
        let connection = Arc::new(Connection::open(&self.uri, self.told)?);
        tracing::info!("libvirt at {}: unconnected -> connected", self.uri);
        if let Some(told) = self.told {
            told.send_modify(|count| *count = count.wrapping_add(1));
        }
        *current = Some(Arc::clone(&connection));
        Ok(connection)
    }
}
