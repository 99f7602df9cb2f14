//! The port to ZooKeeper.
//!
//! [`Tree`] is what the daemons need of it: [`ZkTree`] is the real one, [`FakeTree`] the one
//! for tests. On top of any tree: [`Mirror`] keeps a typed view in step with it, [`lock`] takes
//! upstream's locks, [`subtree`] and [`dump`] work on whole branches.

mod error;
mod fake;
mod outbox;
mod path;
mod real;
mod tree;

pub use error::{CommitError, SubtreeError, TreeError};
pub use fake::{CommitFault, FakeTree};
pub use real::{Settings, ZkTree};
pub use tree::{Change, Enlisted, Entry, Session, Tree};
