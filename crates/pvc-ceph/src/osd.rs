//! OSDs, as the storage cluster knows them.

use std::future::Future;

use pvc_common::id::{NodeName, OsdId};
use pvc_common::observed::{OsdMap, Safety};
use pvc_common::state::OsdFlag;
use pvc_common::unit::Weight;

use crate::CephError;

/// The OSDs of a Ceph cluster. Every command ends within its deadline, and every call may be
/// repeated.
pub trait Osds: Clone + Send + Sync + 'static {
    /// What the cluster knows of its OSDs.
    ///
    /// # Errors
    /// [`CephError`].
    fn osd_map(&self) -> impl Future<Output = Result<OsdMap, CephError>> + Send;

    /// Sets a flag of the whole cluster, or takes it away.
    ///
    /// # Errors
    /// [`CephError`].
    fn set_flag(
        &self,
        flag: OsdFlag,
        wanted: bool,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Has data kept on an OSD, or moved away from it.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::NoOsd`] if there is no such OSD.
    fn set_in(
        &self,
        osd: OsdId,
        wanted: bool,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Counts an OSD as down, without claiming that it is dead: one that lives comes back.
    ///
    /// # Errors
    /// [`CephError`]. An OSD that does not exist is none.
    fn set_down(&self, osd: OsdId) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Whether these OSDs may go for good: no data is left that has too few copies without them. An
    /// OSD that does not exist may.
    ///
    /// # Errors
    /// [`CephError`].
    fn safe_to_destroy(
        &self,
        osds: &[OsdId],
    ) -> impl Future<Output = Result<Safety, CephError>> + Send;

    /// Whether these OSDs may end for a while: all data is served without them.
    ///
    /// # Errors
    /// [`CephError`].
    fn ok_to_stop(&self, osds: &[OsdId]) -> impl Future<Output = Result<Safety, CephError>> + Send;

    /// Destroys an OSD: its data counts as lost and its keys are void, but its number and its place
    /// are kept for a new one. One that does not exist, or was destroyed, is none.
    ///
    /// `force` does so although data is at risk.
    ///
    /// # Errors
    /// [`CephError`]. Ceph refuses if the OSD is up, or if it is not safe and not forced.
    fn destroy_osd(
        &self,
        osd: OsdId,
        force: bool,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Removes an OSD with everything that the cluster knows of it. One that does not exist is none.
    ///
    /// # Errors
    /// As of [`Osds::destroy_osd`].
    fn purge_osd(
        &self,
        osd: OsdId,
        force: bool,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Counts an OSD to a machine, with a share of the data; wherever it was counted to before.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::NoOsd`] if there is no such OSD.
    fn place_osd(
        &self,
        osd: OsdId,
        host: &NodeName,
        weight: Weight,
    ) -> impl Future<Output = Result<(), CephError>> + Send;
}
