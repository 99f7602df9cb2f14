//! How fast a pool is.

use std::future::Future;
use std::time::Duration;

use pvc_common::id::VolumeId;
use pvc_common::model::Json;
use pvc_common::state::Word;

use crate::CephError;

/// A way to load a volume. A benchmark tries all, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Load {
    /// Reading from the beginning, in large blocks.
    SeqRead,
    /// Writing from the beginning, in large blocks.
    SeqWrite,
    /// Reading anywhere, in large blocks.
    RandRead4M,
    /// Writing anywhere, in large blocks.
    RandWrite4M,
    /// Reading anywhere, in small blocks.
    RandRead4K,
    /// Writing anywhere, in small blocks.
    RandWrite4K,
    /// Reading anywhere, in small blocks, each after the other.
    RandRead4KLowDepth,
    /// Writing anywhere, in small blocks, each after the other.
    RandWrite4KLowDepth,
}

impl Word for Load {
    const KIND: &'static str = "benchmark test";
    const ALL: &'static [Self] = &[
        Self::SeqRead,
        Self::SeqWrite,
        Self::RandRead4M,
        Self::RandWrite4M,
        Self::RandRead4K,
        Self::RandWrite4K,
        Self::RandRead4KLowDepth,
        Self::RandWrite4KLowDepth,
    ];

    fn text(self) -> &'static str {
        match self {
            Self::SeqRead => "seq_read",
            Self::SeqWrite => "seq_write",
            Self::RandRead4M => "rand_read_4M",
            Self::RandWrite4M => "rand_write_4M",
            Self::RandRead4K => "rand_read_4K",
            Self::RandWrite4K => "rand_write_4K",
            Self::RandRead4KLowDepth => "rand_read_4K_lowdepth",
            Self::RandWrite4KLowDepth => "rand_write_4K_lowdepth",
        }
    }
}

/// What `fio` calls a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) rw: &'static str,
    pub(crate) block: &'static str,
    pub(crate) depth: u8,
}

impl Load {
    pub(crate) const fn pattern(self) -> Pattern {
        let (rw, block, depth) = match self {
            Self::SeqRead => ("read", "4M", 64),
            Self::SeqWrite => ("write", "4M", 64),
            Self::RandRead4M => ("randread", "4M", 64),
            Self::RandWrite4M => ("randwrite", "4M", 64),
            Self::RandRead4K => ("randread", "4K", 64),
            Self::RandWrite4K => ("randwrite", "4K", 64),
            Self::RandRead4KLowDepth => ("randread", "4K", 1),
            Self::RandWrite4KLowDepth => ("randwrite", "4K", 1),
        };
        Pattern { rw, block, depth }
    }
}

/// A Ceph cluster whose speed can be measured.
pub trait Benchmark: Clone + Send + Sync + 'static {
    /// Loads a volume for so long, and tells what `fio` measured: one JSON object, whose `jobs` have
    /// one member. What is on the volume is overwritten by loads that write.
    ///
    /// # Errors
    /// [`CephError`]: nothing was measured then.
    fn load(
        &self,
        volume: &VolumeId,
        load: Load,
        lasting: Duration,
    ) -> impl Future<Output = Result<Json, CephError>> + Send;
}
