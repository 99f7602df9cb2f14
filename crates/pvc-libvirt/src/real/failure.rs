//! What can go wrong with a call, before it is known which VM it was about.

use std::time::Duration;

use pvc_common::id::VmUuid;
use virt::error::{Error, ErrorNumber};

use crate::hypervisor::HypervisorError;

/// Why a call brought no answer, or a bad one.
#[derive(Debug)]
pub(super) enum Failure {
    /// No answer in time.
    NoAnswer { waited: Duration },
    /// The connection could not be opened, or broke.
    Unreachable { message: String },
    /// libvirt refused.
    Said(Error),
}

impl Failure {
    /// Whether libvirt has no such VM.
    pub(super) fn is_no_such_vm(&self) -> bool {
        self.code() == Some(ErrorNumber::NoDomain)
    }

    /// Whether the VM or its job is not in the state that was needed.
    pub(super) fn is_wrong_state(&self) -> bool {
        self.code() == Some(ErrorNumber::OperationInvalid)
    }

    fn code(&self) -> Option<ErrorNumber> {
        match self {
            Self::Said(error) => Some(error.code()),
            Self::NoAnswer { .. } | Self::Unreachable { .. } => None,
        }
    }

    /// The failure of a call about one VM.
    pub(super) fn about(self, uuid: VmUuid, uri: &str) -> HypervisorError {
        if self.is_no_such_vm() { HypervisorError::NoSuchVm { uuid } } else { self.at(uri) }
    }

    /// The failure of a call about no VM in particular.
    pub(super) fn at(self, uri: &str) -> HypervisorError {
        let uri = uri.to_owned();
        match self {
            Self::NoAnswer { waited } => HypervisorError::NoAnswer { uri, waited },
            Self::Unreachable { message } => HypervisorError::Unreachable { uri, message },
            Self::Said(error) => HypervisorError::Refused { message: error.message().to_owned() },
        }
    }
}
