//! `pvc vm`: virtual machines.

mod define;
mod device;
mod dump;
mod effect;
mod forget;
#[cfg(test)]
mod golden;
mod info;
mod list;
mod locks;
mod log;
mod memory;
mod meta;
mod modify;
mod network;
mod power;
mod rename;
mod restart;
mod tag;
mod transfer;
mod vcpu;
mod volume;

use clap::Subcommand;
use pvc_client::call;
use pvc_common::api::Vm;

use crate::failure::{Failure, Outcome};
use crate::session::Session;
use crate::shell::Shell;

/// What can be done with VMs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Define(define::Define),
    Meta(meta::Meta),
    Modify(modify::Modify),
    Rename(rename::Rename),
    Undefine(forget::Undefine),
    Remove(forget::Remove),
    Start(power::Start),
    Restart(power::Restart),
    Shutdown(power::Shutdown),
    Stop(power::Stop),
    Disable(power::Disable),
    Move(transfer::Move),
    Migrate(transfer::Migrate),
    Unmigrate(transfer::Unmigrate),
    FlushLocks(locks::FlushLocks),
    /// Tags of a VM.
    #[command(subcommand)]
    Tag(tag::Verb),
    /// Virtual processors of a VM.
    #[command(subcommand)]
    Vcpu(vcpu::Verb),
    /// Memory of a VM.
    #[command(subcommand)]
    Memory(memory::Verb),
    /// Networks of a VM.
    #[command(subcommand)]
    Network(device::NetworkVerb),
    /// Volumes of a VM.
    #[command(subcommand)]
    Volume(device::VolumeVerb),
    Log(log::Log),
    Dump(dump::Dump),
    Info(info::Info),
    List(list::List),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Define(verb) => verb.run(shell).await,
            Self::Meta(verb) => verb.run(shell).await,
            Self::Modify(verb) => verb.run(shell).await,
            Self::Rename(verb) => verb.run(shell).await,
            Self::Undefine(verb) => verb.run(shell).await,
            Self::Remove(verb) => verb.run(shell).await,
            Self::Start(verb) => verb.run(shell).await,
            Self::Restart(verb) => verb.run(shell).await,
            Self::Shutdown(verb) => verb.run(shell).await,
            Self::Stop(verb) => verb.run(shell).await,
            Self::Disable(verb) => verb.run(shell).await,
            Self::Move(verb) => verb.run(shell).await,
            Self::Migrate(verb) => verb.run(shell).await,
            Self::Unmigrate(verb) => verb.run(shell).await,
            Self::FlushLocks(verb) => verb.run(shell).await,
            Self::Tag(verb) => verb.run(shell).await,
            Self::Vcpu(verb) => verb.run(shell).await,
            Self::Memory(verb) => verb.run(shell).await,
            Self::Network(verb) => verb.run(shell).await,
            Self::Volume(verb) => verb.run(shell).await,
            Self::Log(verb) => verb.run(shell).await,
            Self::Dump(verb) => verb.run(shell).await,
            Self::Info(verb) => verb.run(shell).await,
            Self::List(verb) => verb.run(shell).await,
        }
    }
}

/// The VM of this name or UUID.
async fn find(session: &Session, vm: &str) -> Result<Vm, Failure> {
    session.one(&call::vm::info(vm), "VM", vm).await
}
