//! Which VMs are here and what they do.

use pvc_common::id::{VmName, VmUuid};
use pvc_common::observed::{ObservedVm, RunState};
use pvc_common::unit::{Mib, Vcpus};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::error::{Error, ErrorNumber};
use virt_sys as sys;

use super::ffi::{self, Record, Value, Values};

/// What is read of each VM, in one call for all of them. None of it asks QEMU.
const GROUPS: u32 =
    sys::VIR_DOMAIN_STATS_STATE | sys::VIR_DOMAIN_STATS_BALLOON | sys::VIR_DOMAIN_STATS_VCPU;

/// Every VM with a QEMU process, without waiting for those that are busy.
const FLAGS: u32 =
    sys::VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | sys::VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;

pub(super) fn vms(connect: &Connect) -> Result<Vec<ObservedVm>, Error> {
    let records = ffi::records(connect, GROUPS, FLAGS)?;
    let mut vms = Vec::with_capacity(records.len());
    for record in records {
        let Some((uuid, name)) = identity(&record) else { continue };
        let Some(run) = run_state(connect, &record)? else { continue };
        vms.push(ObservedVm {
            uuid,
            name,
            run,
            memory: Mib::from_kib(number(&record.values, "balloon.current").unwrap_or(0)),
            vcpus: Vcpus(number(&record.values, "vcpu.current").unwrap_or(0)),
        });
    }
    Ok(vms)
}

/// Whose record it is. libvirt hands out neither bad UUIDs nor names that are not ours.
pub(super) fn identity(record: &Record) -> Option<(VmUuid, VmName)> {
    match (record.uuid.parse(), record.name.parse()) {
        (Ok(uuid), Ok(name)) => Some((uuid, name)),
        (uuid, name) => {
            let why = [uuid.err().map(|e| e.to_string()), name.err().map(|e| e.to_string())];
            let why: Vec<String> = why.into_iter().flatten().collect();
            tracing::warn!("ignoring a VM of libvirt's: {}", why.join("; "));
            None
        }
    }
}

/// A figure, if it is there and fits.
pub(super) fn number<T: TryFrom<i128>>(values: &Values, name: &str) -> Option<T> {
    match values.get(name)? {
        Value::Number(number) => T::try_from(*number).ok(),
        Value::Text(_) => None,
    }
}

/// What its QEMU does; `None` if it is gone by now.
fn run_state(connect: &Connect, record: &Record) -> Result<Option<RunState>, Error> {
    let state: u32 = number(&record.values, "state.state").unwrap_or(sys::VIR_DOMAIN_NOSTATE);
    let reason: u32 = number(&record.values, "state.reason").unwrap_or(0);
    Ok(match meaning(state, reason) {
        Meaning::Clear(run) => Some(run),
        Meaning::Gone => None,
        Meaning::AskJob { otherwise } => match moving(connect, &record.uuid)? {
            Moving::Out => Some(RunState::Outgone),
            Moving::In => Some(RunState::Incoming),
            Moving::Neither => Some(otherwise),
            Moving::Gone => None,
        },
    })
}

/// What a state of libvirt's means.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Clear(RunState),
    /// It depends on whether the VM is being sent or received.
    AskJob {
        otherwise: RunState,
    },
    Gone,
}

fn meaning(state: u32, reason: u32) -> Meaning {
    match state {
        sys::VIR_DOMAIN_RUNNING | sys::VIR_DOMAIN_BLOCKED | sys::VIR_DOMAIN_SHUTDOWN => {
            Meaning::Clear(RunState::Running)
        }
        sys::VIR_DOMAIN_PAUSED => match reason {
            // Without a job: between two phases of receiving, or after libvirt died in between.
            sys::VIR_DOMAIN_PAUSED_MIGRATION
            | sys::VIR_DOMAIN_PAUSED_POSTCOPY
            | sys::VIR_DOMAIN_PAUSED_POSTCOPY_FAILED => {
                Meaning::AskJob { otherwise: RunState::Incoming }
            }
            sys::VIR_DOMAIN_PAUSED_STARTING_UP => Meaning::AskJob { otherwise: RunState::Paused },
            sys::VIR_DOMAIN_PAUSED_CRASHED => Meaning::Clear(RunState::Crashed),
            _ => Meaning::Clear(RunState::Paused),
        },
        sys::VIR_DOMAIN_SHUTOFF => Meaning::Gone,
        sys::VIR_DOMAIN_CRASHED => Meaning::Clear(RunState::Crashed),
        // Suspended by the guest, which may wake up; or a state yet to be invented.
        _ => Meaning::Clear(RunState::Paused),
    }
}

/// Which way a VM is moving.
enum Moving {
    Out,
    In,
    Neither,
    Gone,
}

fn moving(connect: &Connect, uuid: &str) -> Result<Moving, Error> {
    let job = Domain::lookup_by_uuid_string(connect, uuid).and_then(|domain| ffi::job(&domain));
    match job {
        Ok((_, values)) => Ok(match operation(&values) {
            Some(sys::VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT) => Moving::Out,
            Some(sys::VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN) => Moving::In,
            Some(_) | None => Moving::Neither,
        }),
        Err(error) => match error.code() {
            // "migration statistics are available only on the source host"
            ErrorNumber::OperationUnsupported => Ok(Moving::In),
            ErrorNumber::NoDomain | ErrorNumber::OperationInvalid => Ok(Moving::Gone),
            _ => Err(error),
        },
    }
}

/// What a job does.
pub(super) fn operation(job: &Values) -> Option<u32> {
    number(job, "operation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_that_may_execute_is_never_called_anything_else() {
        for state in [sys::VIR_DOMAIN_RUNNING, sys::VIR_DOMAIN_BLOCKED, sys::VIR_DOMAIN_SHUTDOWN] {
            assert_eq!(meaning(state, 0), Meaning::Clear(RunState::Running));
        }
        for reason in [sys::VIR_DOMAIN_PAUSED_USER, sys::VIR_DOMAIN_PAUSED_IOERROR, 99] {
            assert_eq!(meaning(sys::VIR_DOMAIN_PAUSED, reason), Meaning::Clear(RunState::Paused));
        }
        assert_eq!(meaning(sys::VIR_DOMAIN_PMSUSPENDED, 0), Meaning::Clear(RunState::Paused));
        assert_eq!(meaning(99, 0), Meaning::Clear(RunState::Paused));
    }

    #[test]
    fn a_vm_paused_by_a_migration_without_a_job_does_not_count_as_executing() {
        assert_eq!(
            meaning(sys::VIR_DOMAIN_PAUSED, sys::VIR_DOMAIN_PAUSED_MIGRATION),
            Meaning::AskJob { otherwise: RunState::Incoming }
        );
    }

    #[test]
    fn figures_that_do_not_fit_are_absent() {
        let values = Values::from([
            ("a".to_owned(), Value::Number(-1)),
            ("b".to_owned(), Value::Text("1".to_owned())),
        ]);
        assert_eq!(number::<u64>(&values, "a"), None);
        assert_eq!(number::<i64>(&values, "a"), Some(-1));
        assert_eq!(number::<u64>(&values, "b"), None);
        assert_eq!(number::<u64>(&values, "c"), None);
    }
}
