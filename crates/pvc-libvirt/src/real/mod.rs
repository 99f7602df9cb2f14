//! The hypervisor of this machine: libvirt, through its C library.
//!
//! ```text
//!  Libvirt ── call ─▶ Link ── 4 threads ─▶ one connection        lists, figures, small requests
//!     │                 ▲  lifecycle events, keep-alive
//!     ├── call ────▶ Link ── 4 threads ─▶ one connection        starts, ends, device changes
//!     └── migrate ─▶ Link of its own, 1 thread ─▶ one connection   blocks until it is done
//! ```
//!
//! Every call of the library blocks, so each connection has its own few threads, and a caller
//! waits for an answer no longer than its limit. What really ends a call to a libvirt that has
//! stopped answering is the keep-alive of the connection, some seconds later; the next call
//! opens a new connection.
//!
//! What libvirt 9.0 says of a VM during a live migration, seen on two hosts:
//!
//! | moment | source | target | mapped to |
//! | --- | --- | --- | --- |
//! | target's QEMU starts | running | paused (starting up), job: migration in | Running, Incoming |
//! | memory is copied | running, job: migration out | paused (migration), job: migration in | Running, Incoming |
//! | guest stopped | paused (migration), job: migration out | paused (migration) | Outgone, Incoming |
//! | done | gone, before the next look | running (migrated) | -, Running |
//!
//! A source that fails to send goes from paused (migration) back to running. If its libvirt
//! dies at that very moment, the VM stays paused (migration) without a job, and nothing on that
//! host can tell whether the target runs; so that is never called executing either.

mod connection;
mod departures;
mod failure;
mod ffi;
mod hypervisor;
mod limits;
mod link;
mod migrate;
mod observe;
mod stats;

pub use hypervisor::Libvirt;
pub use limits::Limits;
