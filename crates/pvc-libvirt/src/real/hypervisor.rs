//! The port's calls, on libvirt.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pvc_common::id::VmUuid;
use pvc_common::observed::ObservedVm;
use pvc_common::unit::Bytes;
use pvc_domxml::{check_device, validate_definition};
use tokio::sync::watch;
use virt::connect::Connect;
use virt::domain::Domain;
use virt::error::Error;
use virt_sys as sys;

use super::departures::Departures;
use super::failure::Failure;
use super::ffi::Told;
use super::limits::Limits;
use super::link::Link;
use super::stats::DiskNames;
use super::{migrate, observe, stats};
use crate::hypervisor::{Destination, Hypervisor, HypervisorError, Progress, VmStats};

/// Calls at a time on each connection but those of migrations; see [`Link::new`].
const CALLS_AT_A_TIME: usize = 4;

/// The hypervisor of this machine. Cloning shares the connections.
#[derive(Clone, Debug)]
pub struct Libvirt {
    /// For what is answered at once.
    link: Arc<Link>,
    /// For what may take long: VMs that start slowly must not keep anybody from looking.
    slow: Arc<Link>,
    changes: Told,
    limits: Limits,
    departures: Departures,
    disk_names: Arc<Mutex<DiskNames>>,
}

impl Libvirt {
    /// A hypervisor at a URI such as `qemu:///system`. Connects with the first call, and again
    /// whenever the connection has broken.
    ///
    /// # Errors
    /// If the URI holds a NUL, or the threads that make the calls cannot be started.
    pub fn new(uri: &str, limits: Limits) -> io::Result<Self> {
        if uri.contains('\0') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the URI holds a NUL"));
        }
        let changes: Told = Box::leak(Box::new(watch::Sender::new(0)));
        Ok(Self {
            link: Arc::new(Link::new(uri, CALLS_AT_A_TIME, Some(changes))?),
            slow: Arc::new(Link::new(uri, CALLS_AT_A_TIME, None)?),
            changes,
            limits,
            departures: Departures::new(limits.departures),
            disk_names: Arc::default(),
        })
    }

    pub(super) fn uri(&self) -> &str {
        self.link.uri()
    }

    pub(super) const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) const fn departures(&self) -> &Departures {
        &self.departures
    }

    /// Makes calls about one VM that may take long.
    async fn slowly<T: Send + 'static>(
        &self,
        uuid: VmUuid,
        calls: impl FnOnce(&Connect) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, HypervisorError> {
        let called = self.slow.call(self.limits.slow, calls).await;
        called.map_err(|failure| failure.about(uuid, self.uri()))
    }

    /// Makes calls about one VM that are answered at once.
    pub(super) async fn about<T: Send + 'static>(
        &self,
        uuid: VmUuid,
        limit: Duration,
        calls: impl FnOnce(&Connect) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, HypervisorError> {
        let called = self.link.call(limit, calls).await;
        called.map_err(|failure| failure.about(uuid, self.uri()))
    }

    async fn change_device(
        &self,
        uuid: VmUuid,
        xml: &str,
        change: fn(&Domain, &str, u32) -> Result<u32, Error>,
    ) -> Result<(), HypervisorError> {
        check_device(xml).map_err(|error| refused(format!("XML error: {error}")))?;
        let (xml, names) = (xml.to_owned(), Arc::clone(&self.disk_names));
        let change = move |connect: &Connect| {
            let changed = change(&find(connect, uuid)?, &xml, sys::VIR_DOMAIN_AFFECT_LIVE);
            locked(&names).forget(uuid);
            changed.map(drop)
        };
        self.slowly(uuid, change).await
    }
}

/// The names are locked only by the threads that make calls, for as long as those take.
fn locked(names: &Mutex<DiskNames>) -> MutexGuard<'_, DiskNames> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The VM of a UUID.
pub(super) fn find(connect: &Connect, uuid: VmUuid) -> Result<Domain, Error> {
    Domain::lookup_by_uuid_string(connect, &uuid.to_string())
}

fn refused(message: String) -> HypervisorError {
    HypervisorError::Refused { message }
}

impl Hypervisor for Libvirt {
    async fn vms(&self) -> Result<Vec<ObservedVm>, HypervisorError> {
        let seen = self.link.call(self.limits.call, observe::vms).await;
        seen.map_err(|failure| failure.at(self.uri()))
    }

    fn events(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn start(&self, uuid: VmUuid, xml: &str) -> Result<(), HypervisorError> {
        let definition = validate_definition(xml);
        let definition = definition.map_err(|error| refused(format!("XML error: {error}")))?;
        if definition.uuid != uuid {
            return Err(refused(format!("the definition is of VM {}", definition.uuid)));
        }
        let xml = xml.to_owned();
        let start = move |connect: &Connect| {
            let Err(error) = Domain::create_xml(connect, &xml, 0) else { return Ok(()) };
            // It may have been here before; libvirt says that in several ways.
            match find(connect, uuid).and_then(|domain| domain.is_active()) {
                Ok(true) => Ok(()),
                Ok(false) | Err(_) => Err(error),
            }
        };
        self.slowly(uuid, start).await
    }

    async fn shutdown(&self, uuid: VmUuid) -> Result<(), HypervisorError> {
        let ask = move |connect: &Connect| {
            let button = sys::VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN;
            find(connect, uuid)?.shutdown_flags(button).map(drop)
        };
        self.about(uuid, self.limits.call, ask).await
    }

    async fn destroy(&self, uuid: VmUuid) -> Result<(), HypervisorError> {
        let destroy = move |connect: &Connect| find(connect, uuid)?.destroy();
        let destroyed = self.slow.call(self.limits.slow, destroy).await;
        match destroyed {
            Err(failure) if failure.is_no_such_vm() || failure.is_wrong_state() => {
                self.is_gone(uuid, failure).await
            }
            destroyed => destroyed.map_err(|failure| failure.about(uuid, self.uri())),
        }
    }

    async fn migrate(&self, uuid: VmUuid, to: &Destination) -> Result<(), HypervisorError> {
        migrate::migrate(self, uuid, to).await
    }

    async fn migration(&self, uuid: VmUuid) -> Result<Option<Progress>, HypervisorError> {
        migrate::progress(self, uuid).await
    }

    async fn abort_migration(&self, uuid: VmUuid) -> Result<(), HypervisorError> {
        self.departures.give_up(uuid);
        migrate::abort(self, uuid).await
    }

    async fn stats(&self) -> Result<Vec<VmStats>, HypervisorError> {
        let names = Arc::clone(&self.disk_names);
        let stats = move |connect: &Connect| stats::stats(connect, &mut locked(&names));
        let read = self.link.call(self.limits.call, stats).await;
        read.map_err(|failure| failure.at(self.uri()))
    }

    async fn live_xml(&self, uuid: VmUuid) -> Result<String, HypervisorError> {
        let read = move |connect: &Connect| find(connect, uuid)?.get_xml_desc(0);
        self.about(uuid, self.limits.call, read).await
    }

    async fn attach_device(&self, uuid: VmUuid, xml: &str) -> Result<(), HypervisorError> {
        self.change_device(uuid, xml, Domain::attach_device_flags).await
    }

    async fn detach_device(&self, uuid: VmUuid, xml: &str) -> Result<(), HypervisorError> {
        self.change_device(uuid, xml, Domain::detach_device_flags).await
    }

    async fn grow_disk(&self, uuid: VmUuid, dev: &str, size: Bytes) -> Result<(), HypervisorError> {
        let dev = dev.to_owned();
        let grow = move |connect: &Connect| {
            let in_bytes = sys::VIR_DOMAIN_BLOCK_RESIZE_BYTES;
            find(connect, uuid)?.block_resize(&dev, size.0, in_bytes).map(drop)
        };
        self.slowly(uuid, grow).await
    }
}

impl Libvirt {
    /// Whether a VM that could not be destroyed was gone already; if not, why it was not.
    async fn is_gone(&self, uuid: VmUuid, failure: Failure) -> Result<(), HypervisorError> {
        if self.vms().await?.iter().any(|vm| vm.uuid == uuid) {
            return Err(failure.about(uuid, self.uri()));
        }
        Ok(())
    }
}
