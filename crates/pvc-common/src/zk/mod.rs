//! The ZooKeeper layout: where everything is kept, in which form, and who may write it.
//!
//! Paths are upstream's schema version 15; what we add is version 16.

pub mod codec;
pub mod key;
pub mod migrate;
mod op;
pub mod schema;
mod seen;

pub use codec::{BadText, Text};
pub use key::Key;
pub use op::{Expected, Op};
pub use schema::Schema;
pub use seen::{Seen, Version};
