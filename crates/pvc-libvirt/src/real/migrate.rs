//! Sending a VM to another node, live.
//!
//! Peer to peer: this node's libvirt talks to the other one by itself and brings the migration
//! to an end even if this process dies (tried by killing the client in the midst of one). The
//! longest stop of the guest is set beforehand; libvirt keeps it for the migration (tried too).

use std::time::Duration;

use pvc_common::id::VmUuid;
use tokio::time::sleep;
use virt::connect::Connect;
use virt::domain::MigrateParameters;
use virt::error::{Error, ErrorNumber};
use virt_sys as sys;

use super::departures::Departure;
use super::failure::Failure;
use super::ffi::{self, Values};
use super::hypervisor::{Libvirt, find};
use super::link::Link;
use super::observe::{number, operation};
use crate::hypervisor::{Destination, HypervisorError, Progress};

/// How often a migration that is not wanted any more is told so: libvirt does not listen
/// before its job has begun.
const ABORT_AGAIN: Duration = Duration::from_millis(200);

/// Sends a VM away, once its turn has come.
pub(super) async fn migrate(
    libvirt: &Libvirt,
    uuid: VmUuid,
    to: &Destination,
) -> Result<(), HypervisorError> {
    if [&to.peer_uri, &to.migrate_uri].into_iter().any(|uri| uri.contains('\0')) {
        return Err(refused("the address of the target is not a text"));
    }
    let departure =
        libvirt.departures().enter(uuid).ok_or_else(|| refused("the VM is already leaving"))?;
    let _turn = tokio::select! {
        biased;
        () = departure.given_up() => return Err(given_up()),
        turn = libvirt.departures().turns.acquire() => turn.map_err(|_| given_up())?,
    };
    let max_downtime_ms = to.max_downtime_ms;
    libvirt
        .about(uuid, libvirt.limits().call, move |connect| {
            find(connect, uuid)?.migrate_set_max_downtime(max_downtime_ms, 0).map(drop)
        })
        .await?;
    if departure.is_given_up() {
        return Err(given_up());
    }
    send(libvirt, uuid, to, &departure).await
}

/// Sends the VM and watches the time; whoever finds it taking too long or not wanted any more
/// keeps telling libvirt so until it is over.
async fn send(
    libvirt: &Libvirt,
    uuid: VmUuid,
    to: &Destination,
    departure: &Departure,
) -> Result<(), HypervisorError> {
    let uri = libvirt.uri();
    let link = Link::new(uri, 1, None).map_err(|error| HypervisorError::Unreachable {
        uri: uri.to_owned(),
        message: format!("cannot start a thread: {error}"),
    })?;
    let destination = to.clone();
    // The grace is for libvirt to end what it was told to; after that it is not answering.
    let grace = libvirt.limits().call;
    let mut sent =
        std::pin::pin!(link.call(to.limit.saturating_add(grace), move |connect| perform(
            connect,
            uuid,
            &destination
        )));
    let too_long = tokio::select! {
        biased;
        sent = &mut sent => return sent.map_err(|failure| failure.about(uuid, uri)),
        () = departure.given_up() => false,
        () = sleep(to.limit) => true,
    };
    let aborting = async {
        loop {
            if let Err(error) = abort(libvirt, uuid).await {
                tracing::warn!(%error, "VM {uuid}: could not give up its migration");
            }
            sleep(ABORT_AGAIN).await;
        }
    };
    let ended = tokio::select! {
        biased;
        sent = &mut sent => Some(sent),
        never = aborting => never,
        () = sleep(grace) => None,
    };
    match ended {
        // It was faster than the abort.
        Some(Ok(())) => Ok(()),
        Some(Err(Failure::Said(_))) if too_long => {
            Err(HypervisorError::MigrationTooLong { limit: to.limit })
        }
        Some(Err(failure)) => Err(failure.about(uuid, uri)),
        None => Err(Failure::NoAnswer { waited: to.limit.saturating_add(grace) }.at(uri)),
    }
}

fn perform(connect: &Connect, uuid: VmUuid, to: &Destination) -> Result<(), Error> {
    let tls = if to.tls { sys::VIR_MIGRATE_TLS } else { 0 };
    let parameters =
        MigrateParameters { uri: Some(to.migrate_uri.clone()), ..MigrateParameters::default() };
    find(connect, uuid)?.migrate_to_uri3(
        Some(&to.peer_uri),
        parameters,
        sys::VIR_MIGRATE_LIVE | sys::VIR_MIGRATE_PEER2PEER | tls,
    )
}

/// How far the VM's migration to elsewhere is; `None` if it is not leaving.
pub(super) async fn progress(
    libvirt: &Libvirt,
    uuid: VmUuid,
) -> Result<Option<Progress>, HypervisorError> {
    libvirt.about(uuid, libvirt.limits().call, move |connect| departing_job(connect, uuid)).await
}

fn departing_job(connect: &Connect, uuid: VmUuid) -> Result<Option<Progress>, Error> {
    match find(connect, uuid).and_then(|domain| ffi::job(&domain)) {
        Ok((_, values)) => Ok(departing(&values)),
        Err(error) => match error.code() {
            // Not here, not running any more, or being received.
            ErrorNumber::NoDomain
            | ErrorNumber::OperationInvalid
            | ErrorNumber::OperationUnsupported => Ok(None),
            _ => Err(error),
        },
    }
}

fn departing(job: &Values) -> Option<Progress> {
    let out = operation(job) == Some(sys::VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
    out.then(|| Progress {
        total_bytes: number(job, "data_total").unwrap_or(0),
        remaining_bytes: number(job, "data_remaining").unwrap_or(0),
    })
}

/// Gives up the VM's migration to elsewhere; none under way is a success.
pub(super) async fn abort(libvirt: &Libvirt, uuid: VmUuid) -> Result<(), HypervisorError> {
    let abort = move |connect: &Connect| {
        if departing_job(connect, uuid)?.is_none() {
            return Ok(());
        }
        match ffi::abort_job(&find(connect, uuid)?) {
            // It ended in between.
            Err(error)
                if matches!(
                    error.code(),
                    ErrorNumber::OperationInvalid | ErrorNumber::NoDomain
                ) =>
            {
                Ok(())
            }
            aborted => aborted,
        }
    };
    libvirt.about(uuid, libvirt.limits().call, abort).await
}

fn refused(message: &str) -> HypervisorError {
    HypervisorError::Refused { message: message.to_owned() }
}

fn given_up() -> HypervisorError {
    refused("the migration was given up before it began")
}

#[cfg(test)]
mod tests {
    use super::super::ffi::Value;
    use super::*;

    #[test]
    fn only_a_vm_that_leaves_has_progress() {
        let job = |operation| {
            Values::from([
                ("operation".to_owned(), Value::Number(operation)),
                ("data_total".to_owned(), Value::Number(100)),
                ("data_remaining".to_owned(), Value::Number(40)),
            ])
        };
        let leaving = job(sys::VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT.into());
        assert_eq!(departing(&leaving), Some(Progress { total_bytes: 100, remaining_bytes: 40 }));
        assert_eq!(departing(&job(sys::VIR_DOMAIN_JOB_OPERATION_BACKUP.into())), None);
        assert_eq!(departing(&Values::new()), None);
    }
}
