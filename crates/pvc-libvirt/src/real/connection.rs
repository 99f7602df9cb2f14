//! One open connection, and the event loop that all of them need.

use std::ffi::c_int;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use virt::connect::Connect;
use virt::error::Error;

use super::ffi::{self, Told};

/// A libvirt that has not answered for three of these is given up by the connection.
const KEEP_ALIVE_S: i32 = 2;
const KEEP_ALIVE_COUNT: u32 = 3;

/// An open connection. It is dead for good once it breaks.
pub(super) struct Connection {
    connect: Connect,
    lifecycle: Option<c_int>,
}

impl Connection {
    /// Opens a connection; `told` hears of events and of its end.
    pub(super) fn open(uri: &str, told: Option<Told>) -> Result<Self, Error> {
        event_loop()?;
        let connect = Connect::open(Some(uri))?;
        // Only connections through a daemon have it; the others end with this process.
        if let Err(error) = connect.set_keep_alive(KEEP_ALIVE_S, KEEP_ALIVE_COUNT) {
            tracing::debug!(%error, uri, "no keep-alive on {uri}");
        }
        let mut connection = Self { connect, lifecycle: None };
        if let Some(told) = told {
            connection.lifecycle = Some(ffi::watch_lifecycle(&connection.connect, told)?);
            ffi::watch_close(&connection.connect, told)?;
        }
        Ok(connection)
    }

    /// Whether it still works, as far as this side knows.
    pub(super) fn is_alive(&self) -> bool {
        self.connect.is_alive().unwrap_or(false)
    }

    pub(super) const fn get(&self) -> &Connect {
        &self.connect
    }
}

impl Drop for Connection {
    /// Takes the callbacks back: each holds a reference that would keep the connection open.
    fn drop(&mut self) {
        let Some(id) = self.lifecycle else { return };
        let forgotten =
            [ffi::forget_lifecycle(&self.connect, id), ffi::forget_close(&self.connect)];
        for error in forgotten.into_iter().filter_map(Result::err) {
            // Usual on a connection that broke: it cannot tell the other side any more.
            tracing::debug!(%error, "could not take a callback back");
        }
    }
}

/// Starts the thread that handles the events and keep-alives of all connections.
fn event_loop() -> Result<(), Error> {
    static STARTED: OnceLock<Result<(), Error>> = OnceLock::new();
    let started = STARTED.get_or_init(|| {
        // Otherwise libvirt prints every error to the standard error output.
        virt::error::clear_error_callback();
        ffi::register_event_loop()?;
        let spawned = thread::Builder::new().name("libvirt-events".to_owned()).spawn(|| {
            loop {
                if let Err(error) = ffi::run_event_loop_once() {
                    tracing::error!(%error, "libvirt's event loop failed");
                    // Not to be waited for but to keep from spinning.
                    thread::park_timeout(Duration::from_millis(100));
                }
            }
        });
        if let Err(error) = spawned {
            // Connections work without it, but lack events and keep-alive.
            tracing::error!(%error, "cannot start the thread of libvirt's event loop");
        }
        Ok(())
    });
    started.clone()
}
