//! The port to ZooKeeper.

mod tree;

pub use tree::{Change, CommitError, Entry, Session, Tree, TreeError};
