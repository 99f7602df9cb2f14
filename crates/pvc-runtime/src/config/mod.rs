//! Reading a configuration file so that everything wrong with it is told at once.
//!
//! A file becomes a [`Document`], whose scalars are still text; a daemon walks it section by
//! section ([`Section`]), asking for each key by [`Kind`]: what the value has to look like and
//! how it becomes a checked type. Whatever does not fit (a missing, malformed or unknown key) is
//! recorded as a [`Problem`], and the walk goes on. A derived deserializer would be shorter, but
//! it stops at the first mistake and knows no path.

mod document;
mod kind;
mod nearest;
mod problem;
mod section;

pub use document::Document;
pub use kind::{ADDRESS, FLAG, HOST_PORT, Kind, NAME, NODE, PATH, PORT, TEXT, WHOLE};
pub use problem::Problem;
pub use section::{Section, read};
