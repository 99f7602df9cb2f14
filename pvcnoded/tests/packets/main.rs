//! The firewall on real packets: a router with two networks and their guests, in namespaces.

#![expect(clippy::unwrap_used, reason = "tests")]

mod many;
mod nodes;
mod router;
mod site;
