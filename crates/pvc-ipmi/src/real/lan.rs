//! IPMI 2.0 (RMCP+, cipher suite 3) by the library, on a thread that may block.
//!
//! What the library lacks is here: the chassis commands (IPMI 2.0, section 28), raising the
//! session's privilege (section 22.18), and trying a session anew when a datagram was lost.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ipmi_rs::Ipmi;
use ipmi_rs::connection::{IpmiCommand, Message, NetFn, NotEnoughData};
use ipmi_rs::rmcp::Rmcp;

use super::Request;
use crate::{Bmc, PowerError, PowerState};

/// How long one datagram may take before the session is tried anew: long enough for slow BMCs,
/// short enough that several fit into a call.
const DATAGRAM: Duration = Duration::from_millis(1_300);

/// One call.
pub(super) struct Call {
    pub(super) bmc: Bmc,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) request: Request,
    pub(super) deadline: Instant,
    /// Nobody waits for it any more: what is not sent yet is not sent.
    pub(super) given_up: Arc<AtomicBool>,
}

/// Why the library did not do it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody else could do better.
    Told(PowerError),
    /// It may be beyond the library, for this reason.
    Beyond(String),
}

/// Privilege levels, from the highest one may need to the lowest that suffices.
const PRIVILEGES: [u8; 2] = [4, 3];

struct SetPrivilege(u8);

impl From<SetPrivilege> for Message {
    fn from(privilege: SetPrivilege) -> Self {
        Self::new_request(NetFn::App, 0x3b, vec![privilege.0])
    }
}

impl IpmiCommand for SetPrivilege {
    type Output = ();
    type Error = NotEnoughData;

    fn parse_success_response(_: &[u8]) -> Result<(), NotEnoughData> {
        Ok(())
    }
}

struct ChassisStatus;

impl From<ChassisStatus> for Message {
    fn from(_: ChassisStatus) -> Self {
        Self::new_request(NetFn::Chassis, 0x01, vec![])
    }
}

impl IpmiCommand for ChassisStatus {
    type Output = PowerState;
    type Error = NotEnoughData;

    /// Bit 0 of the first byte: the system's power is on.
    fn parse_success_response(data: &[u8]) -> Result<PowerState, NotEnoughData> {
        let state = data.first().ok_or(NotEnoughData)?;
        Ok(if state & 1 == 1 { PowerState::On } else { PowerState::Off })
    }
}

struct ChassisControl(u8);

impl From<ChassisControl> for Message {
    fn from(control: ChassisControl) -> Self {
        Self::new_request(NetFn::Chassis, 0x02, vec![control.0])
    }
}

impl IpmiCommand for ChassisControl {
    type Output = ();
    type Error = NotEnoughData;

    fn parse_success_response(_: &[u8]) -> Result<(), NotEnoughData> {
        Ok(())
    }
}

/// Asks the BMC, and tries anew while it is silent and there is time.
pub(super) fn talk(call: &Call) -> Result<PowerState, Failure> {
    let began = Instant::now();
    let address = resolve(call)?;
    loop {
        match session(call, address) {
            Err(Attempt::Silent) if !call.is_over() => {}
            Err(Attempt::Silent) => {
                let (host, waited) = (call.bmc.host.clone(), began.elapsed());
                return Err(Failure::Told(PowerError::NoAnswer { host, waited }));
            }
            Err(Attempt::Failed(failure)) => return Err(failure),
            Ok(state) => return Ok(state),
        }
    }
}

/// How one session ended that did not bring an answer.
enum Attempt {
    /// A datagram was lost, or the BMC says nothing.
    Silent,
    Failed(Failure),
}

impl Call {
    fn is_over(&self) -> bool {
        self.given_up.load(Ordering::Relaxed) || Instant::now() >= self.deadline
    }

    fn told(&self, error: impl FnOnce(String) -> PowerError) -> Failure {
        Failure::Told(error(self.bmc.host.clone()))
    }

    /// Understands the library's errors, which have no other form than their text.
    fn understand(&self, error: &impl std::fmt::Debug) -> Attempt {
        let text = format!("{error:?}");
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["TimedOut", "WouldBlock", "timed out"]) {
            return Attempt::Silent;
        }
        Attempt::Failed(if has(&["ConnectionRefused", "HostUnreachable", "NetworkUnreachable"]) {
            self.told(|host| PowerError::Unreachable { host, why: "nothing listens there".into() })
        } else if has(&["InsufficientResources", "NodeBusy"]) {
            self.told(|host| PowerError::Busy { host })
        } else if has(&["ServerAuthenticationFailed", "UnauthorizedName", "InvalidUser"]) {
            let why = "wrong user or password".to_owned();
            self.told(|host| PowerError::Denied { host, why })
        } else {
            Failure::Beyond(text.chars().take(200).collect())
        })
    }
}

fn resolve(call: &Call) -> Result<SocketAddr, Failure> {
    let unreachable = |why: String| call.told(|host| PowerError::Unreachable { host, why });
    let mut addresses = (call.host.as_str(), call.port)
        .to_socket_addrs()
        .map_err(|error| unreachable(error.to_string()))?;
    addresses.next().ok_or_else(|| unreachable("its name has no address".to_owned()))
}

/// One session: logs in, raises its privilege, asks.
fn session(call: &Call, address: SocketAddr) -> Result<PowerState, Attempt> {
    let left = call.deadline.saturating_duration_since(Instant::now());
    if left.is_zero() || call.is_over() {
        return Err(Attempt::Silent);
    }
    let mut rmcp =
        Rmcp::new(address, left.min(DATAGRAM)).map_err(|error| call.understand(&error))?;
    let password = call.bmc.password.reveal().as_bytes();
    rmcp.activate(true, Some(&call.bmc.user), Some(password))
        .map_err(|error| call.understand(&error))?;
    let mut ipmi = Ipmi::new(rmcp);
    let mut refused = None;
    for privilege in PRIVILEGES {
        match ipmi.send_recv(SetPrivilege(privilege)) {
            Ok(()) => {
                refused = None;
                break;
            }
            Err(error) => match call.understand(&error) {
                Attempt::Silent => return Err(Attempt::Silent),
                failed @ Attempt::Failed(_) => refused = Some(failed),
            },
        }
    }
    if let Some(refused) = refused {
        return Err(refused);
    }
    // The last moment at which it can still be left undone.
    if call.is_over() {
        return Err(Attempt::Silent);
    }
    let control = match call.request {
        Request::Status => None,
        Request::Off => Some((0x00, PowerState::Off)),
        Request::On => Some((0x01, PowerState::On)),
    };
    match control {
        None => ipmi.send_recv(ChassisStatus).map_err(|error| call.understand(&error)),
        Some((control, state)) => ipmi
            .send_recv(ChassisControl(control))
            .map(|()| state)
            .map_err(|error| call.understand(&error)),
    }
}
