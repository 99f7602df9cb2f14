//! The port to ZooKeeper.
//!
//! [`Tree`] is what the daemons need of it: [`ZkTree`] is the real one, [`FakeTree`] the one
//! for tests. On top of any tree: [`Mirror`] keeps a typed view in step with it, [`lock`] takes
//! upstream's locks, [`subtree`] and [`dump`] work on whole branches.

pub mod dump;
mod error;
mod fake;
pub mod lock;
mod mirror;
mod outbox;
mod path;
mod real;
pub mod subtree;
#[cfg(feature = "testing")]
pub mod testing;
mod tree;
mod walk;

pub use error::{CommitError, SubtreeError, TreeError};
pub use fake::{CommitFault, FakeTree};
pub use lock::{Held, LockError, is_contender};
pub use mirror::{Freshness, Image, Mirror};
pub use real::{Settings, ZkTree};
pub use tree::{Change, Enlisted, Entry, Session, Tree};
