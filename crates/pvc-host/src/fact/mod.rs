//! Facts about this machine, from `/proc` and `/sys`. All parsing is pure.

mod boot;
mod cpu;
mod memory;
mod read;
mod traffic;

pub use boot::boot_identity;
pub use cpu::{count_cpus, load_average};
pub use memory::Memory;
pub use read::{Facts, boot_id, counters, interfaces, link_info, load, memory};
pub use traffic::{Counters, LinkInfo, Rates, Traffic, parse_counters};
