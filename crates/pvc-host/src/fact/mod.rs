//! Facts about this machine, from `/proc` and `/sys`. All parsing is pure.

mod boot;
mod cpu;
mod memory;
mod read;
mod traffic;

pub use boot::boot_identity;
pub use cpu::{CpuTime, count_cpus, load_average};
pub use memory::Memory;
pub use read::{
    Facts, boot_id, counters, cpu_time, interfaces, link_info, load, memory, packet_size,
};
pub use traffic::{Counters, LinkInfo, Rates, Traffic, parse_counters};
