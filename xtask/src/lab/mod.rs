//! `cargo xtask lab`: real Debian hosts with real services on one machine, and their misfortunes.
//!
//! Each host is a Debian root file system with systemd as process 1, in namespaces and a control
//! group of its own, plugged into three networks, with a BMC that speaks IPMI and really cuts its
//! power. `cargo xtask lab --help` tells how to use it.

mod background;
mod bmc;
mod bmc_front;
mod board;
mod ceph;
mod cgroup;
mod chroot;
mod cli;
mod client;
mod cluster;
mod config;
mod cpio;
mod database;
mod disk;
mod down;
mod each;
mod enter;
mod fault;
mod guest;
mod host;
mod identity;
mod image;
mod layout;
mod light;
mod loss;
mod machine;
mod packages;
mod power;
mod selftest;
mod services;
mod space;
mod spare;
mod status;
mod switch;
mod template;
mod up;
mod watchdog;

pub(crate) use cli::{Arguments, run};
pub(crate) use machine::check as check_machine;
