//! The session of this process: made, watched over, and replaced when it ends.
//!
//! A client of `zookeeper-client` is one session; once that has ended it is dead for ever.
//!
//! ```text
//!          connected            silent, or cut             heard again
//!  Down ─────────────▶ Up(1) ─────────────────▶ Down ───────────────────▶ Up(2) …
//!    ▲                                            │ session ended
//!    └────────────────────────────────────────────┘
//! ```
//! Invariant: each connection to a server has a greater number than the one before and has
//! answered, and the public session state is published before the link that permits calls.

use std::time::Duration;

use tokio::sync::watch;
use zookeeper_client::{Client, Error, SessionState, StateWatcher};

use super::Settings;
use crate::tree::Session;

/// What calls and watches can use at this moment.
#[derive(Clone, Debug)]
pub(super) enum Link {
    /// No server answers; wait.
    Down,
    /// A server answers.
    Up(Connection),
    /// This process ended its session; nothing will ever come.
    Closed,
}

/// A connection to some server. Another one means that watches may have missed something.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    /// The session's client.
    pub(super) client: Client,
    /// Number of the session.
    pub(super) epoch: u64,
    /// Number of the connection, greater than any before, across sessions.
    pub(super) number: u64,
}

/// Where calls look for a connection.
pub(super) type Links = watch::Receiver<Link>;

/// This process ended its session.
#[derive(Debug)]
pub(super) struct Closed;

/// The next connection with a number above `after`.
pub(super) async fn connection(links: &mut Links, after: u64) -> Result<Connection, Closed> {
    let newer = |link: &Link| match link {
        Link::Down => false,
        Link::Up(connection) => connection.number > after,
        Link::Closed => true,
    };
    match links.wait_for(newer).await.as_deref() {
        Ok(Link::Up(connection)) => Ok(connection.clone()),
        Ok(Link::Down | Link::Closed) | Err(_) => Err(Closed),
    }
}

/// Waits until this process's session is closed.
pub(super) async fn closed(links: &mut Links) {
    // An error means that the supervisor is gone, which is as closed as can be.
    if links.wait_for(|link| matches!(link, Link::Closed)).await.is_err() {
        tracing::debug!("zookeeper: the supervisor had ended before");
    }
}

/// Says what state the session is in, to everybody in the right order.
#[derive(Debug)]
pub(super) struct Publisher {
    links: watch::Sender<Link>,
    session: watch::Sender<Session>,
    connections: u64,
}

/// Makes a publisher and the ends that read it.
pub(super) fn publisher() -> (Publisher, Links, watch::Receiver<Session>) {
    let (links, links_seen) = watch::channel(Link::Down);
    let (session, session_seen) = watch::channel(Session::Connecting);
    let publisher = Publisher { links, session, connections: 0 };
    (publisher, links_seen, session_seen)
}

impl Publisher {
    fn live(&mut self, client: &Client, epoch: u64) {
        self.connections += 1;
        let now = Session::Live { epoch };
        log(self.session.send_replace(now), now);
        self.links.send_replace(Link::Up(Connection {
            client: client.clone(),
            epoch,
            number: self.connections,
        }));
    }

    fn down(&self, now: Session) {
        self.links.send_replace(Link::Down);
        log(self.session.send_replace(now), now);
    }
}

fn log(before: Session, now: Session) {
    if before != now {
        tracing::info!("zookeeper: session {before:?} -> {now:?}");
    }
}

/// Keeps a session for as long as anybody wants one.
pub(super) async fn supervise(
    hosts: Vec<String>,
    settings: Settings,
    mut publisher: Publisher,
    mut closing: watch::Receiver<bool>,
) {
    let hosts = hosts.join(",");
    let links = publisher.links.clone();
    tokio::select! {
        () = serve(&hosts, settings, &mut publisher) => {}
        () = links.closed() => {}
        // An error means that no tree is left, only watches: then the readers decide.
        Ok(_) = closing.wait_for(|asked| *asked) => {}
    }
    end(publisher, settings.call_limit).await;
}

/// Makes one session after another.
async fn serve(hosts: &str, settings: Settings, publisher: &mut Publisher) {
    let mut epoch = 0;
    loop {
        let client = connect(hosts, settings).await;
        epoch += 1;
        tracing::info!(
            session.id = %client.session_id(),
            session.epoch = epoch,
            session.timeout_ms = client.session_timeout().as_millis(),
            "zookeeper: session {epoch} begins"
        );
        watch_over(&client, epoch, publisher).await;
        publisher.down(Session::Connecting);
    }
}

/// Tries until there is a session.
async fn connect(hosts: &str, settings: Settings) -> Client {
    /// Between attempts. The client's own pauses grow with the outage, so it is made to try each
    /// host once only.
    const PAUSE: Duration = Duration::from_millis(500);
    let mut failed = false;
    loop {
        let connector =
            Client::connector().with_session_timeout(settings.session_timeout).with_fail_eagerly();
        match connector.connect(hosts).await {
            Ok(client) => return client,
            Err(error) if failed => tracing::debug!("zookeeper: still no session: {error}"),
            Err(error) => {
                tracing::warn!("zookeeper: no session with any of {hosts}, still trying: {error}");
                failed = true;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Publishes what becomes of a session until it has ended.
///
/// The client says connected before its first request is answered, and if the connection breaks
/// in between, goes on saying so until the next one or the session's end. So each connection has
/// to answer before the session is called live.
async fn watch_over(client: &Client, epoch: u64, publisher: &mut Publisher) {
    let mut states = client.state_watcher();
    let mut state = client.state();
    let mut without = Session::Connecting;
    loop {
        match state {
            SessionState::SyncConnected => {
                // Also when it was live as far as we know: then a disconnection was too short to
                // be seen here, but not too short for watches to miss something.
                publisher.down(without);
                tokio::select! {
                    biased;
                    next = states.changed() => {
                        state = next;
                        continue;
                    }
                    () = answered(client) => publisher.live(client, epoch),
                }
                without = Session::Suspended { epoch };
            }
            SessionState::Disconnected | SessionState::ConnectedReadOnly => publisher.down(without),
            SessionState::AuthFailed | SessionState::Expired | SessionState::Closed => {
                tracing::warn!(session.epoch = epoch, "zookeeper: session {epoch} ended: {state}");
                return;
            }
        }
        state = states.changed().await;
    }
}

/// Waits for an answer from a server that knows all that was written before it was asked.
///
/// A new session could otherwise read what is older than what the session before it had seen.
async fn answered(client: &Client) {
    /// Before asking again, if the state of the session does not change until then.
    const PAUSE: Duration = Duration::from_millis(500);
    while let Err(error) = client.sync("/").await {
        tracing::debug!("zookeeper: not in step with the ensemble yet: {error}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Gives the session back, so that what is ephemeral vanishes at once.
async fn end(publisher: Publisher, limit: Duration) {
    let link = publisher.links.borrow().clone();
    publisher.down(Session::Connecting);
    if let Link::Up(Connection { client, .. }) = link {
        let states = client.state_watcher();
        // The client closes its session when its last clone goes, with the calls still under way.
        drop(client);
        if tokio::time::timeout(limit, terminated(states)).await.is_err() {
            tracing::warn!("zookeeper: the session was not closed: {}", Error::Timeout);
        }
    }
    publisher.links.send_replace(Link::Closed);
}

async fn terminated(mut states: StateWatcher) {
    let mut state = states.state();
    while !state.is_terminated() {
        state = states.changed().await;
    }
}
