//! When a VM gains or loses a device: at once, by a restart, or at its next start.

use clap::Args;
use pvc_client::call;
use pvc_client::call::vm::Definition;
use pvc_common::api::Vm;
use pvc_common::state::{VmState, Word};
use pvc_domxml::edit::EditError;

use super::restart;
use crate::failure::{Failure, Outcome};
use crate::options::{Consent, Live, Restart};
use crate::session::Session;
use crate::shell::Shell;
use crate::wait::{self, NotDone};

/// When a change takes effect.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Effect {
    #[command(flatten)]
    live: Live,
    #[command(flatten)]
    restart: Restart,
    #[command(flatten)]
    consent: Consent,
}

impl Effect {
    /// Stores a new definition; `plug` changes the VM if it runs.
    pub(super) async fn apply(
        self,
        shell: &Shell,
        session: &Session,
        vm: &Vm,
        xml: String,
        plug: Plug,
    ) -> Outcome {
        if self.restart.choice() == Some(true) || !self.live.is_wanted() {
            return restart::apply(shell, session, vm, xml, self.restart, self.consent).await;
        }
        let definition = Definition { old: vm.xml.clone(), new: xml.clone() };
        session.tell(&call::vm::modify(&vm.uuid, definition, false)).await?;
        if vm.state != VmState::Start.text() {
            let state = &vm.state;
            shell.out.note(&format!("The VM is in state {state}: its next start applies this."));
            return Ok(());
        }
        match plug {
            Plug::In(device) => {
                let request = call::vm::attach_device(&vm.uuid, device);
                match wait::task_done(session, &request).await {
                    Ok(()) => Ok(()),
                    Err(NotDone { why, is_over: true }) => Err(undo(session, vm, xml, why).await),
                    Err(NotDone { why, is_over: false }) => Err(why.hint(CHANGED)),
                }
            }
            // What the guest does not let go of now is gone at its next start.
            Plug::Out(device) => {
                let request = call::vm::detach_device(&vm.uuid, device);
                wait::task(session, &request, true).await.map_err(|failure| {
                    failure.hint(
                        "The definition was changed all the same: the VM has the device until its next start.",
                    )
                })
            }
        }
    }
}

/// What a running VM gains or loses, as its element of the definition.
pub(super) enum Plug {
    /// This device comes.
    In(String),
    /// This device goes.
    Out(String),
}

/// What is so while nobody knows what became of the device.
const CHANGED: &str = "The definition was changed: the VM has the device at its next start, if not by now. \
                       The command to remove it undoes that.";

/// Puts the definition back that a VM had, for it could not be given what the new one has: perhaps it
/// could not start with that either.
async fn undo(session: &Session, vm: &Vm, written: String, why: Failure) -> Failure {
    let back = Definition { old: written, new: vm.xml.clone() };
    match session.act(&call::vm::modify(&vm.uuid, back, false)).await {
        Ok(_) => why.hint(
            "The VM's definition was put back as it was. --no-live changes that alone, for the VM's next start.",
        ),
        Err(failure) => why.hint(format!(
            "The definition was changed and could not be put back ({}): remove the device from it, or the \
             VM may not start again.",
            failure.message().trim_end_matches('.')
        )),
    }
}

/// Why a definition was not changed.
pub(super) fn refusal(vm: &Vm, error: &EditError) -> Failure {
    Failure::new(format!("Failed to change VM '{}': {error}", vm.name))
        .hint("`pvc vm modify --editor` changes any part of the definition.")
}
