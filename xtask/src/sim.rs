//! `cargo xtask sim`: the whole cluster on virtual time.

use std::ffi::OsString;

use anyhow::Result;

use crate::run::Step;
use crate::workspace::Workspace;
