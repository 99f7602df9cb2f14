//! One session with a BMC, as the library holds it: opened, asked one thing, closed.

use std::net::SocketAddr;
use std::time::Duration;

use ipmi_rs::connection::{
    IpmiConnection, LogicalUnit, Message, NetFn, Request, RequestTargetAddress, Response,
};
use ipmi_rs::rmcp::{Rmcp, RmcpIpmiError, RmcpIpmiReceiveError};
use tokio::sync::oneshot;

use super::failure::Failure;
use super::relay::Heard;
use crate::bmc::Bmc;
use crate::power::PowerState;

/// A session begins with less than it may have; this is what commands to a chassis need.
const OPERATOR: u8 = 3;
const SET_SESSION_PRIVILEGE: u8 = 0x3b;
const CLOSE_SESSION: u8 = 0x3c;
const CHASSIS_STATUS: u8 = 0x01;
const CHASSIS_CONTROL: u8 = 0x02;
/// "Not in this state": off already, or on.
const NOT_IN_THIS_STATE: u8 = 0xd5;

/// What is asked of a BMC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// How the power is.
    Status,
    /// That it be so.
    Be(PowerState),
}

/// Holds a session and tells the answer: how the power is, or was commanded to be. Goes on to
/// close the session after that. Blocks, each time until it is answered or `patience` is over.
pub(super) fn hold(
    address: SocketAddr,
    bmc: &Bmc,
    ask: Ask,
    patience: Duration,
    heard: &Heard,
    answer: oneshot::Sender<Result<PowerState, Failure>>,
) {
    let (said, line) = match open(address, bmc, patience) {
        Ok(mut line) => (converse(&mut line, ask), Some(line)),
        Err(failure) => (Err(failure), None),
    };
    let spoke = !matches!(said, Err(Failure::Silent));
    // Whoever asked may not wait for it any more.
    drop(answer.send(said));
    if let (Some(mut line), Some(session), true) = (line, heard.session(), spoke) {
        let number = session.to_le_bytes().to_vec();
        match line.exchange(NetFn::App, CLOSE_SESSION, number) {
            Ok(closed) if closed.cc() == 0 => {}
            Ok(closed) => tracing::debug!(code = closed.cc(), "a BMC does not close the session"),
            Err(error) => tracing::debug!(?error, "a BMC's session was left open"),
        }
    }
}

/// An active session.
struct Line(Rmcp);

fn open(address: SocketAddr, bmc: &Bmc, patience: Duration) -> Result<Line, Failure> {
    // The library would log in as nobody instead.
    if !bmc.user.is_ascii() || bmc.user.len() > 16 {
        return Err(Failure::Denied("users of IPMI have at most 16 ASCII characters".to_owned()));
    }
    let mut rmcp = Rmcp::new(address, patience).map_err(|error| Failure::unreachable(&error))?;
    rmcp.activate(true, Some(&bmc.user), Some(bmc.password.reveal().as_bytes()))
        .map_err(|error| Failure::of_opening(&error))?;
    Ok(Line(rmcp))
}

fn converse(line: &mut Line, ask: Ask) -> Result<PowerState, Failure> {
    let raised = line.exchange(NetFn::App, SET_SESSION_PRIVILEGE, vec![OPERATOR]);
    match raised.map_err(|error| Failure::of_exchange(&error))?.cc() {
        0 => {}
        0x80 | 0x81 => return Err(Failure::Denied("the user is no operator".to_owned())),
        other => return Err(Failure::of_completion(other)),
    }
    match ask {
        Ask::Status => line.status(),
        Ask::Be(wanted) => line.command(wanted),
    }
}

impl Line {
    fn status(&mut self) -> Result<PowerState, Failure> {
        let response = self
            .exchange(NetFn::Chassis, CHASSIS_STATUS, Vec::new())
            .map_err(|error| Failure::of_exchange(&error))?;
        match (response.cc(), response.data().first()) {
            (0, Some(state)) if state & 1 == 1 => Ok(PowerState::On),
            (0, Some(_)) => Ok(PowerState::Off),
            (0, None) => Err(Failure::Garbled("a chassis status without a status".to_owned())),
            (code, _) => Err(Failure::of_completion(code)),
        }
    }

    fn command(&mut self, wanted: PowerState) -> Result<PowerState, Failure> {
        let control = match wanted {
            PowerState::Off => 0,
            PowerState::On => 1,
        };
        let response = self
            .exchange(NetFn::Chassis, CHASSIS_CONTROL, vec![control])
            .map_err(|error| Failure::of_exchange(&error))?;
        match response.cc() {
            0 => Ok(wanted),
            NOT_IN_THIS_STATE if self.status()? == wanted => Ok(wanted),
            code => Err(Failure::of_completion(code)),
        }
    }

    /// Sends a request and waits for its own answer: one to a request that was sent twice may
    /// come late.
    fn exchange(
        &mut self,
        netfn: NetFn,
        command: u8,
        data: Vec<u8>,
    ) -> Result<Response, RmcpIpmiError> {
        let message = Message::new_request(netfn, command, data);
        let target = RequestTargetAddress::Bmc(LogicalUnit::Zero);
        self.0.send(&mut Request::new(message, target))?;
        loop {
            match self.0.recv() {
                Ok(response) if response.netfn() == netfn && response.cmd() == command => {
                    return Ok(response);
                }
                Ok(_) | Err(RmcpIpmiError::Receive(RmcpIpmiReceiveError::EmptyMessage)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
