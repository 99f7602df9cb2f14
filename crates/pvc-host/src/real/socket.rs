//! Sockets of netlink.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use rtnetlink::Handle;
use tokio::runtime::Builder;

/// A netlink socket of the present thread's network namespace, which lives as long as its handle.
///
/// It has a thread of its own. The kernel does what it is asked for while it is told so, and when a
/// device is removed it waits for tens of milliseconds: on a thread of the runtime nothing else there
/// would get its turn.
///
/// # Errors
/// When the kernel gives no socket, or no thread, or has not answered so many others yet.
pub(super) fn connect() -> io::Result<Handle> {
    let place = Place::take()?;
    let (tell, told) = sync_channel(1);
    // A thread begins in the namespace of the one that starts it.
    let thread = thread::Builder::new().name("netlink".to_owned());
    thread.spawn(move || {
        let _place = place;
        serve(&tell);
    })?;
    told.recv().unwrap_or_else(|_| Err(io::Error::other("its thread ended")))
}

/// How many threads there may be. A driver that hangs holds up all of them in the kernel, where nothing
/// ends them, however long ago their askers gave up.
const MOST: usize = 64;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// One of them.
struct Place(());

impl Place {
    fn take() -> io::Result<Self> {
        let more = |taken| (taken < MOST).then_some(taken + 1);
        TAKEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).map(|_| Self(())).map_err(
            |taken| io::Error::other(format!("the kernel has not answered {taken} others yet")),
        )
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        TAKEN.fetch_sub(1, Ordering::Relaxed);
    }
}

fn serve(tell: &SyncSender<io::Result<Handle>>) {
    let served = || {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let inside = runtime.enter();
        let (connection, handle, _) = rtnetlink::new_connection()?;
        drop(inside);
        Ok((runtime, connection, handle))
    };
    match served() {
        Ok((runtime, connection, handle)) => {
            if tell.send(Ok(handle)).is_ok() {
                runtime.block_on(connection);
            }
        }
        // Whoever asked waits for it.
        Err(error) => drop(tell.send(Err(error))),
    }
}
