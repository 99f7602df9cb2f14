//! Reads storage.

use super::branch::{Branch, Found, Taken, read};
use crate::model::{Benchmark, Osd, Pool, Snapshot, Storage, Volume};
use crate::zk::key::{self, osd_suffix, pool_suffix};

impl Branch for Storage {
    fn take(&mut self, path: &str, found: Found<'_>) -> Taken {
        match path {
            key::CEPH => read(&mut self.status, found),
            key::STORAGE_HEALTH => read(&mut self.health, found),
            key::STORAGE_UTIL => read(&mut self.util, found),
            _ => Taken::Unwanted,
        }
    }
}

impl Branch for Osd {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.znode, found),
            osd_suffix::NODE => read(&mut self.node, found),
            osd_suffix::DEVICE => read(&mut self.device, found),
            osd_suffix::DB_DEVICE => read(&mut self.db_device, found),
            osd_suffix::OSD_FSID => read(&mut self.fsid, found),
            osd_suffix::CLUSTER_FSID => read(&mut self.cluster_fsid, found),
            osd_suffix::VG => read(&mut self.vg, found),
            osd_suffix::LV => read(&mut self.lv, found),
            osd_suffix::IS_SPLIT => read(&mut self.is_split, found),
            osd_suffix::STATS => read(&mut self.stats, found),
            osd_suffix::FSID | osd_suffix::LVM => Taken::Understood,
            _ => Taken::Unwanted,
        }
    }
}

impl Branch for Pool {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.znode, found),
            pool_suffix::PGS => read(&mut self.pgs, found),
            pool_suffix::TIER => read(&mut self.tier, found),
            pool_suffix::STATS => read(&mut self.stats, found),
            _ => Taken::Unwanted,
        }
    }
}

impl Branch for Volume {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.znode, found),
            key::VOLUME_STATS => read(&mut self.stats, found),
            _ => Taken::Unwanted,
        }
    }
}

impl Branch for Snapshot {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.znode, found),
            key::VOLUME_STATS => read(&mut self.stats, found),
            _ => Taken::Unwanted,
        }
    }
}

impl Branch for Benchmark {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.record, found),
            _ => Taken::Unwanted,
        }
    }
}
