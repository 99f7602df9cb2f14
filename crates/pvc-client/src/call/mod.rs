//! Which request each operation of the API is.
//!
//! Parameters travel in the query string, large texts in the body; what is not given is
//! left out, so that the server's own default applies.

pub mod cluster;
pub mod network;
pub mod node;
pub mod sriov;
pub mod storage;
pub mod vm;
