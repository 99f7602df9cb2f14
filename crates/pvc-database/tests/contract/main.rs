//! The contract of the port, kept by the fake and by PostgreSQL with PowerDNS' tables alike.
//!
//! The real part needs root, and Debian's packages `postgresql`, `pdns-server`,
//! `pdns-backend-pgsql` and `bind9-dnsutils`. It starts a PostgreSQL and a PowerDNS of its own on
//! free ports of the loopback. `PVC_TEST_NO_SERVICES=1` leaves it out.
#![expect(clippy::unwrap_used, reason = "tests")]

mod cases;
mod fake;
mod real;
mod server;
mod site;
