//! `pvc vm vcpu`: virtual processors of a VM.

use std::str::FromStr;

use clap::{Args, Subcommand};
use pvc_common::api::Vm;
use pvc_common::unit::Vcpus;
use pvc_domxml::{Topology, edit};
use serde_json::json;

use super::{find, restart};
use crate::failure::{Failure, Outcome};
use crate::format::{Form, ListFormat, ListStyle};
use crate::options::{Consent, Restart};
use crate::shell::Shell;
use crate::show::{Cell, Table};

/// Virtual processors of a VM.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Get(Get),
    Set(Set),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Get(verb) => verb.run(shell).await,
            Self::Set(verb) => verb.run(shell).await,
        }
    }
}

/// Show the number and arrangement of the virtual processors.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    #[command(flatten)]
    format: ListFormat,
}

impl Get {
    async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let vm = find(&session, &self.vm).await?;
        let [sockets, cores, threads] = arrangement(&vm);
        match self.format.form() {
            Form::Json(json) => shell.out.json(
                &json!({"name": vm.name, "vcpus": vm.vcpu, "sockets": sockets,
                        "cores": cores, "threads": threads}),
                json,
            ),
            Form::Laid(ListStyle::Raw) => shell.out.data(&vm.vcpu.to_string()),
            Form::Laid(ListStyle::Pretty) => {
                let mut table = Table::new(&[("", &["vCPUs", "Sockets", "Cores", "Threads"])]);
                let row = [vm.vcpu, sockets, cores, threads];
                table.row(row.into_iter().map(Cell::plain).collect());
                shell.out.data(&table.render(shell.out.paint()))
            }
        }
    }
}

/// Sockets, cores and threads. A definition that does not say gets a socket per processor,
/// as the hypervisor does it.
fn arrangement(vm: &Vm) -> [u32; 3] {
    let parts: Vec<u32> =
        vm.vcpu_topology.split('/').filter_map(|part| part.parse().ok()).collect();
    match parts.as_slice() {
        [sockets, cores, threads] => [*sockets, *cores, *threads],
        _ => [vm.vcpu, 1, 1],
    }
}

/// Change the number and arrangement of the virtual processors.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// Number of virtual processors.
    #[arg(value_parser = clap::value_parser!(u32).range(1..=65_535))]
    vcpus: u32,
    /// Sockets, cores of a socket and threads of a core; by default one socket with a core
    /// of one thread for each virtual processor.
    #[arg(short, long, value_name = "SOCKETS,CORES,THREADS")]
    topology: Option<Arrangement>,
    #[command(flatten)]
    restart: Restart,
    #[command(flatten)]
    consent: Consent,
}

/// Sockets, cores and threads as they are typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arrangement(Topology);

impl FromStr for Arrangement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Result<Vec<u32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
        match parts.unwrap_or_default().as_slice() {
            [sockets @ (1..), cores @ (1..), threads @ (1..)] => {
                Ok(Self(Topology { sockets: *sockets, cores: *cores, threads: *threads }))
            }
            _ => Err("expected three numbers such as 2,4,1".to_owned()),
        }
    }
}

impl Set {
    async fn run(self, shell: &Shell) -> Outcome {
        let topology = self
            .topology
            .map_or(Topology { sockets: 1, cores: self.vcpus, threads: 1 }, |arrangement| {
                arrangement.0
            });
        let session = shell.connect()?;
        let vm = find(&session, &self.vm).await?;
        let xml = edit::set_vcpus(&vm.xml, Vcpus(self.vcpus), topology).map_err(|error| {
            Failure::new(format!("Failed to change VM '{}': {error}", vm.name))
                .hint("Sockets times cores times threads must be the number of vCPUs.")
        })?;
        restart::apply(shell, &session, &vm, xml, self.restart, self.consent).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topology_is_three_numbers() {
        let topology = "2,4,1".parse::<Arrangement>().unwrap().0;
        assert_eq!((topology.sockets, topology.cores, topology.threads), (2, 4, 1));
        for bad in ["", "2", "2,4", "2,4,0", "a,b,c", "1,1,1,1"] {
            assert!(bad.parse::<Arrangement>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_vm_without_a_topology_has_a_socket_per_processor() {
        let vm = |topology: &str| Vm { vcpu: 4, vcpu_topology: topology.into(), ..Vm::default() };
        assert_eq!(arrangement(&vm("N/A")), [4, 1, 1]);
        assert_eq!(arrangement(&vm("2/2/1")), [2, 2, 1]);
    }
}
