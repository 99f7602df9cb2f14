//! Volumes and their snapshots, as Ceph and operators write them.

use std::fmt;
use std::str::FromStr;

use super::{BadId, PoolName, SnapshotName, VolumeName};

/// A volume: `pool/volume`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumeId {
    /// Its pool.
    pub pool: PoolName,
    /// Its name there.
    pub volume: VolumeName,
}

/// A snapshot of a volume: `pool/volume@snapshot`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId {
    /// What it is a snapshot of.
    pub of: VolumeId,
    /// Its name there.
    pub snapshot: SnapshotName,
}

impl FromStr for VolumeId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let (pool, volume) =
            text.split_once('/').ok_or_else(|| BadId::new(text, "volume", "pool/volume"))?;
        Ok(Self { pool: pool.parse()?, volume: volume.parse()? })
    }
}

impl FromStr for SnapshotId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let (of, snapshot) = text
            .rsplit_once('@')
            .ok_or_else(|| BadId::new(text, "volume snapshot", "pool/volume@snapshot"))?;
        Ok(Self { of: of.parse()?, snapshot: snapshot.parse()? })
    }
}

impl fmt::Display for VolumeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pool, self.volume)
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.of, self.snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_and_a_snapshot_read_back_as_written() {
        let volume: VolumeId = "vms/web1_sda".parse().unwrap();
        assert_eq!((volume.pool.as_str(), volume.volume.as_str()), ("vms", "web1_sda"));
        let snapshot: SnapshotId = "vms/web1_sda@before".parse().unwrap();
        assert_eq!(snapshot.of, volume);
        assert_eq!(snapshot.to_string(), "vms/web1_sda@before");
        for bad in ["", "vms", "/x", "vms/", "a/b/c"] {
            assert!(bad.parse::<VolumeId>().is_err(), "{bad:?}");
        }
        assert!("vms/web1_sda".parse::<SnapshotId>().is_err());
    }
}
