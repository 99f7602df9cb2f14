//! Answers for the simulated BMCs the one question they leave open.
//!
//! Before a session, `ipmitool` asks which cipher suites there are (Get Channel Cipher Suites);
//! OpenIPMI's simulator never answers, and each command would lose ten seconds. This front
//! answers that question and passes everything else on.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// Where IPMI over LAN listens.
const PORT: u16 = 623;

/// A session nobody used for so long is forgotten.
const IDLE: Duration = Duration::from_secs(60);

/// The most sessions kept for one BMC; more peers are not listened to.
const MOST: usize = 64;

/// The sockets that speak to the simulator, one for each peer.
type Sessions = Arc<Mutex<HashMap<SocketAddr, Arc<UdpSocket>>>>;

/// Serves the pairs of a BMC's address and its simulator's loopback port, for ever.
///
/// # Errors
/// When an address cannot be listened on, or its socket breaks.
pub(crate) fn serve(pairs: &[(Ipv4Addr, u16)]) -> Result<()> {
    let mut fronts = Vec::new();
    for (address, simulator) in pairs.iter().copied() {
        let socket = UdpSocket::bind((address, PORT))
            .with_context(|| format!("cannot listen on {address}:{PORT}"))?;
        fronts.push(thread::spawn(move || front(&socket, simulator)));
    }
    for front in fronts {
        if let Ok(result) = front.join() {
            result.context("a BMC's front ended")?;
        }
    }
    Ok(())
}

fn front(socket: &UdpSocket, simulator: u16) -> io::Result<()> {
    let sessions = Sessions::default();
    let mut buffer = [0; 2048];
    loop {
        let (length, peer) = socket.recv_from(&mut buffer)?;
        let packet = &buffer[..length];
        if let Some(answer) = cipher_suites(packet) {
            socket.send_to(&answer, peer)?;
        } else if let Some(session) = session(&sessions, socket, peer, simulator)? {
            // A simulator that is not there yet refuses; the peer asks again.
            let _passed_on = session.send(packet).is_ok();
        }
    }
}

/// The peer's session, made when it is its first packet.
fn session(
    sessions: &Sessions,
    front: &UdpSocket,
    peer: SocketAddr,
    simulator: u16,
) -> io::Result<Option<Arc<UdpSocket>>> {
    let mut open = sessions.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(session) = open.get(&peer) {
        return Ok(Some(Arc::clone(session)));
    }
    if open.len() >= MOST {
        return Ok(None);
    }
    let session = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?);
    session.connect((Ipv4Addr::LOCALHOST, simulator))?;
    session.set_read_timeout(Some(IDLE))?;
    open.insert(peer, Arc::clone(&session));
    let (back, front, sessions) = (Arc::clone(&session), front.try_clone()?, Arc::clone(sessions));
    thread::spawn(move || {
        pass_back(&back, &front, peer);
        let mut open = sessions.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&peer);
    });
    Ok(Some(session))
}

/// Passes the simulator's answers to the peer until the session idles.
fn pass_back(session: &UdpSocket, front: &UdpSocket, peer: SocketAddr) {
    let mut buffer = [0; 2048];
    loop {
        match session.recv(&mut buffer) {
            Ok(length) if front.send_to(&buffer[..length], peer).is_ok() => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// The answer to Get Channel Cipher Suites, if that is what `packet` asks outside a session.
///
/// The answer is suite 3: RAKP-HMAC-SHA1, HMAC-SHA1-96, AES-CBC-128.
fn cipher_suites(packet: &[u8]) -> Option<Vec<u8>> {
    const RMCP_PLUS_NO_SESSION: &[u8] = &[6, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const APPLICATION: u8 = 0x06 << 2;
    const GET_CHANNEL_CIPHER_SUITES: u8 = 0x54;
    const SUITE_3: &[u8] = &[0xc0, 3, 1, 0x41, 0x81];

    let message = packet.get(16..)?;
    let asked = packet.get(4..14)? == RMCP_PLUS_NO_SESSION
        && *message.get(1)? == APPLICATION
        && *message.get(5)? == GET_CHANNEL_CIPHER_SUITES;
    if !asked {
        return None;
    }
    let (requester, sequence, first) =
        (*message.get(3)?, *message.get(4)?, *message.get(8)? & 0x3f);
    let head = [requester, APPLICATION | 1 << 2];
    let mut body = vec![0x20, sequence, GET_CHANNEL_CIPHER_SUITES, 0, 1];
    if first == 0 {
        body.extend_from_slice(SUITE_3);
    }
    let mut answer = packet[..14].to_vec();
    let length = head.len() + 1 + body.len() + 1;
    answer.extend_from_slice(&[u8::try_from(length).ok()?, 0]);
    for part in [&head[..], &body] {
        answer.extend_from_slice(part);
        answer.push(checksum(part));
    }
    Some(answer)
}

/// What makes the bytes and itself add up to zero.
fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(first: u8) -> Vec<u8> {
        let mut packet = vec![6, 0, 0xff, 7, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0];
        packet.extend_from_slice(&[0x20, 0x18, 0xc8, 0x81, 0x04, 0x54, 0x0e, 0, 0x80 | first, 0]);
        packet
    }

    #[test]
    fn the_question_is_answered_with_suite_three() {
        let answer = cipher_suites(&question(0)).unwrap();
        assert_eq!(answer[14..16], [14, 0]);
        assert_eq!(answer[16..18], [0x81, 0x1c]);
        assert_eq!(answer[19..29], [0x20, 0x04, 0x54, 0, 1, 0xc0, 3, 1, 0x41, 0x81]);
        assert_eq!(checksum(&answer[16..19]), 0);
        assert_eq!(checksum(&answer[19..]), 0);
    }

    #[test]
    fn the_list_ends_when_asked_for_more() {
        assert_eq!(cipher_suites(&question(1)).unwrap()[14..16], [9, 0]);
    }

    #[test]
    fn anything_else_is_passed_on() {
        let mut packet = question(0);
        packet[21] = 0x38;
        assert!(cipher_suites(&packet).is_none());
        assert!(cipher_suites(&[6, 0]).is_none());
    }
}
