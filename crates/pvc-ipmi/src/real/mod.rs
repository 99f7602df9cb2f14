//! The power of other machines, over IPMI 2.0.
//!
//! ```text
//!  Ipmi ─ call ─▶ session ── ipmi-rs ──▶ relay ══ UDP ══▶ BMC      cipher suite 3
//!     │           (a thread, few of them)  │
//!     └─────────▶ tool ── ipmitool ════════╪════════════▶ BMC      whatever else it wants
//!                                          └ deadline, resending, what may come back
//! ```
//!
//! The library blocks, waits for each answer once, trusts what comes back with a panic (which in
//! a release ends the daemon), and tells nobody the session's number, so that it could be closed.
//! So it does not speak to the BMC but to a [`relay`] on the loopback, which carries its
//! datagrams and sees to all of that. When a call is given up the relay is gone: nothing reaches
//! the BMC any more, and the library's thread ends at once.
//!
//! A session is opened for each call and closed after it, for a BMC has room for a handful of
//! them and forgets one only after a minute.
//!
//! What the library cannot do, `ipmitool` is asked for within the same deadline: other cipher
//! suites, users that are no administrators, machines without IPv6. Silence and a wrong password
//! are answers, and not asked about twice.

mod datagram;
mod failure;
mod port;
mod relay;
mod session;
mod tool;

pub use port::Ipmi;
