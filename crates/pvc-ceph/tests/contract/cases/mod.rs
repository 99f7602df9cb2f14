//! What every implementation of the port does.

pub(crate) mod fence;
pub(crate) mod figures;
pub(crate) mod osds;
pub(crate) mod pools;
pub(crate) mod uploads;
pub(crate) mod volumes;
