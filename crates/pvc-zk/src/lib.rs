//! The port to ZooKeeper.
