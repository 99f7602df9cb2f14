//! The contract of the port, kept by the fake and by IPMI with OpenIPMI's simulator alike.
//!
//! The real part needs Debian's packages `openipmi` and `ipmitool`. It starts a simulator of its
//! own on a free port of the loopback, whose chassis is a file. `PVC_TEST_NO_SERVICES=1` leaves
//! it out.
#![expect(clippy::unwrap_used, reason = "tests")]

mod cases;
mod fake;
mod real;
mod simulator;
mod site;
