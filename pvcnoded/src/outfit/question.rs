//! Whether a name server answers: one question over UDP, and the time that it has.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

/// How long an answer may take: it comes from this machine, at once, and a primary that is to let go
/// waits for it.
const LIMIT: Duration = Duration::from_millis(500);

/// Who has the root zone (its SOA)? Every name server has something to say to that, and be it that it
/// does not know.
const QUESTION: [u8; 17] = [
    0x50,
    0x56, // the question's number: each has a socket of its own, so they need not differ
    0, 0, // a question, and no wish
    0, 1, 0, 0, 0, 0, 0, 0, // one question, nothing else
    0, // the root
    0, 6, 0, 1, // SOA, internet
];

/// Asks the name server at `place`; `Err` is what to tell people.
pub(super) async fn ask(place: SocketAddr) -> Result<(), String> {
    match timeout(LIMIT, answer(place)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("it runs, and does not answer at {place}: {error}")),
        Err(_) => {
            Err(format!("it runs, and does not answer at {place} within {} ms", LIMIT.as_millis()))
        }
    }
}

/// Waits for an answer.
async fn answer(place: SocketAddr) -> io::Result<()> {
    let any: SocketAddr = match place {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    // Nobody else's packets are taken for an answer, and a closed port is an error.
    socket.connect(place).await?;
    socket.send(&QUESTION).await?;
    let mut packet = [0; 512];
    loop {
        let length = socket.recv(&mut packet).await?;
        if is_answer(&packet[..length]) {
            return Ok(());
        }
    }
}

/// Whether it is an answer to the question, whatever it says.
fn is_answer(packet: &[u8]) -> bool {
    packet.len() >= 12 && packet[..2] == QUESTION[..2] && packet[2] & 0x80 != 0
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A name server that answers every question with "refused", or none.
    pub(in crate::outfit) async fn server(answers: bool) -> (SocketAddr, UdpSocketTask) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let place = socket.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut packet = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut packet).await {
                packet[2] |= 0x80;
                packet[3] |= 5;
                if answers {
                    socket.send_to(&packet[..length], from).await.unwrap();
                }
            }
        });
        (place, task)
    }

    type UdpSocketTask = tokio::task::JoinHandle<()>;

    #[tokio::test]
    async fn whoever_refuses_answers_and_whoever_is_silent_or_gone_does_not() {
        let (place, _task) = server(true).await;
        assert_eq!(ask(place).await, Ok(()));
        let (place, task) = server(false).await;
        let silent = ask(place).await.unwrap_err();
        assert!(silent.ends_with(&format!("does not answer at {place} within 500 ms")), "{silent}");
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        let gone = ask(place).await.unwrap_err();
        assert!(gone.contains("refused"), "{gone}");
    }
}
