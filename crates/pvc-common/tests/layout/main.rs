//! The layout of the tree, tried on whole trees.

#![expect(clippy::unwrap_used, reason = "tests")]

mod codec;
mod image;
mod migrate;
mod trees;
mod upstream;
