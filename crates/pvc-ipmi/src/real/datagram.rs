//! IPMI's datagrams, as far as they must be told apart to carry them.
//!
//! The library panics on some that a BMC should not send and on late copies of earlier ones, so
//! only what fits its last question is let through to it.

use std::net::Ipv4Addr;

/// The longest one by far is a session's message, of some 80 bytes.
pub(super) const LONGEST: usize = 1024;

const CLASS: usize = 3;
const CLASS_ASF: u8 = 6;
const CLASS_IPMI: u8 = 7;
/// Where RMCP ends: how a session authenticates.
const FORMAT: usize = 4;
const FORMAT_NO_AUTHENTICATION: u8 = 0;
const FORMAT_RMCP_PLUS: u8 = 6;
/// What an RMCP+ datagram carries; two bits say whether that is encrypted and authenticated.
const TYPE: usize = 5;
const TYPE_BITS: u8 = 0x3f;
const TYPE_MESSAGE: u8 = 0xc0;
const TYPE_OPEN_SESSION_ANSWER: u8 = 0x11;
const TYPE_RAKP_2: u8 = 0x13;
const TYPE_RAKP_4: u8 = 0x15;
const LENGTH: usize = 14;
const PAYLOAD: usize = 16;
/// What stands behind an authenticated payload at least: pad length, next header, code.
const TRAILER: usize = 14;
const AES_BLOCK: usize = 16;

/// The answer to the library's ping: "IPMI is spoken here".
///
/// Given in the BMC's stead: the ping tells nothing that the next answer does not, and there are
/// BMCs that leave it unanswered.
#[rustfmt::skip]
pub(super) const PONG: [u8; 28] = [
    // RMCP: version 6, no sequence, class ASF
    6, 0, 0xff, CLASS_ASF,
    // ASF: enterprise 4542, pong, the tag of the library's ping, 16 bytes follow
    0, 0, 0x11, 0xbe, 0x40, 0xc8, 0, 16,
    // enterprise and its own use, IPMI 1.0 supported, no interactions, reserved
    0, 0, 0x11, 0xbe, 0, 0, 0, 0, 0x81, 0, 0, 0, 0, 0, 0, 0,
];

/// Where the library's own sockets are.
pub(super) const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// What the library has sent, and so what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Whether IPMI is spoken at all.
    Ping,
    /// Outside of a session, in the form of IPMI 1.5: what the BMC can do, first of all.
    Old,
    /// May a session be opened?
    OpenSession,
    /// Who are you?
    Rakp1,
    /// Here is who I am.
    Rakp3,
    /// Anything in a session.
    Message,
}

impl Question {
    /// What the library asks with this datagram; `None` if it is none of the library's.
    pub(super) fn of(datagram: &[u8]) -> Option<Self> {
        match (*datagram.get(CLASS)?, *datagram.get(FORMAT)?, *datagram.get(TYPE)?) {
            (CLASS_ASF, _, _) => Some(Self::Ping),
            (CLASS_IPMI, FORMAT_RMCP_PLUS, payload) => match payload & TYPE_BITS {
                0x10 => Some(Self::OpenSession),
                0x12 => Some(Self::Rakp1),
                0x14 => Some(Self::Rakp3),
                0x00 => Some(Self::Message),
                _ => None,
            },
            (CLASS_IPMI, _, _) => Some(Self::Old),
            _ => None,
        }
    }

    /// Whether this is an answer to it, whole enough for the library to read.
    pub(super) fn is_answered_by(self, datagram: &[u8]) -> bool {
        if datagram.len() < PAYLOAD || datagram[CLASS] != CLASS_IPMI {
            return false;
        }
        let is = |format, kind| datagram[FORMAT] == format && datagram[TYPE] == kind;
        match self {
            Self::Ping => false,
            // A header of 10 bytes and a message of 8 follow RMCP's 4.
            Self::Old => datagram[FORMAT] == FORMAT_NO_AUTHENTICATION && datagram.len() >= 22,
            Self::OpenSession => {
                is(FORMAT_RMCP_PLUS, TYPE_OPEN_SESSION_ANSWER) && ends_with_payload(datagram)
            }
            Self::Rakp1 => is(FORMAT_RMCP_PLUS, TYPE_RAKP_2) && ends_with_payload(datagram),
            Self::Rakp3 => is(FORMAT_RMCP_PLUS, TYPE_RAKP_4) && ends_with_payload(datagram),
            Self::Message => {
                let length = payload_length(datagram);
                is(FORMAT_RMCP_PLUS, TYPE_MESSAGE)
                    && length >= 2 * AES_BLOCK
                    && length.is_multiple_of(AES_BLOCK)
                    && datagram.len() >= PAYLOAD + length + TRAILER
            }
        }
    }
}

fn payload_length(datagram: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([datagram[LENGTH], datagram[LENGTH + 1]]))
}

fn ends_with_payload(datagram: &[u8]) -> bool {
    payload_length(datagram) == datagram.len() - PAYLOAD
}

/// What an answer to [`Question::OpenSession`] grants.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// A session of this number, protected the way it was asked for.
    Granted(u32),
    /// A session that is protected in another way.
    OtherSuite,
}

impl Opening {
    /// Reads one that [answers](Question::is_answered_by); `None` if that is too short.
    pub(super) fn of(datagram: &[u8]) -> Option<Self> {
        let payload = datagram[PAYLOAD..].first_chunk::<36>()?;
        // RAKP-HMAC-SHA1, HMAC-SHA1-96, AES-CBC-128 make up cipher suite 3.
        if [payload[16], payload[24], payload[32]] != [1, 1, 1] {
            return Some(Self::OtherSuite);
        }
        let number = [payload[8], payload[9], payload[10], payload[11]];
        Some(Self::Granted(u32::from_le_bytes(number)))
    }
}

/// Why this answer opens no session; `None` if it goes on, or is not about opening one.
///
/// The library looks for RAKP 2's in a wrong place.
pub(super) fn login_status(question: Question, datagram: &[u8]) -> Option<u8> {
    match question {
        Question::OpenSession | Question::Rakp1 | Question::Rakp3 => {
            datagram.get(PAYLOAD + 1).copied().filter(|status| *status != 0)
        }
        Question::Ping | Question::Old | Question::Message => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rmcp_plus(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut datagram = vec![6, 0, 0xff, CLASS_IPMI, FORMAT_RMCP_PLUS, kind];
        datagram.extend([0; 8]);
        datagram.extend(u16::try_from(payload.len()).unwrap().to_le_bytes());
        datagram.extend(payload);
        datagram
    }

    fn opening(authentication: u8) -> Vec<u8> {
        let mut payload = [0; 36];
        payload[8..12].copy_from_slice(&7_u32.to_le_bytes());
        (payload[16], payload[24], payload[32]) = (authentication, 1, 1);
        rmcp_plus(TYPE_OPEN_SESSION_ANSWER, &payload)
    }

    #[test]
    fn only_the_answer_to_the_last_question_is_let_through() {
        let answer = opening(1);
        assert!(Question::OpenSession.is_answered_by(&answer));
        for other in [Question::Ping, Question::Old, Question::Rakp1, Question::Rakp3] {
            assert!(!other.is_answered_by(&answer), "{other:?}");
        }
        assert!(!Question::Message.is_answered_by(&answer));
    }

    #[test]
    fn what_is_cut_short_is_no_answer() {
        let whole = rmcp_plus(TYPE_RAKP_4, &[0; 20]);
        assert!(Question::Rakp3.is_answered_by(&whole));
        for length in 0..whole.len() {
            assert!(!Question::Rakp3.is_answered_by(&whole[..length]), "{length}");
        }
        let mut message = rmcp_plus(TYPE_MESSAGE, &[0; 32]);
        assert!(!Question::Message.is_answered_by(&message));
        message.extend([0; TRAILER]);
        assert!(Question::Message.is_answered_by(&message));
        message[LENGTH] = 31;
        assert!(!Question::Message.is_answered_by(&message));
    }

    #[test]
    fn a_session_is_granted_only_under_the_cipher_suite_that_was_asked_for() {
        assert_eq!(Opening::of(&opening(1)), Some(Opening::Granted(7)));
        assert_eq!(Opening::of(&opening(3)), Some(Opening::OtherSuite));
        let refusal = rmcp_plus(TYPE_OPEN_SESSION_ANSWER, &[0, 0x11, 0, 0, 0, 0, 0, 0]);
        assert_eq!(login_status(Question::OpenSession, &refusal), Some(0x11));
        assert_eq!(login_status(Question::OpenSession, &opening(1)), None);
    }
}
