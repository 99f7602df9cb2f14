//! Watches of subtrees that outlive connections and sessions.
//!
//! A server loses a persistent watch with its connection, and what happens in between is not
//! told (ZOOKEEPER-4698). So each new connection gets a new watch, and the reader is told to read
//! everything once it is armed.

use zookeeper_client::{AddWatchMode, EventType, PersistentWatcher};

use super::link::{Connection, Link, Links, connection};
use super::write::is_transient;
use crate::outbox::Outbox;

/// Reports what changes at and below `root` until nobody listens or the session is closed.
pub(super) async fn pump(mut links: Links, root: String, outbox: Outbox) {
    tokio::select! {
        () = follow(&mut links, &root, &outbox) => {}
        () = outbox.closed() => {}
    }
}

async fn follow(links: &mut Links, root: &str, outbox: &Outbox) {
    let mut last = 0;
    // Kept until its successor is armed: dropping a path's last watcher removes the server's.
    let mut previous = None;
    while let Ok(Connection { client, number, .. }) = connection(links, last).await {
        last = number;
        match client.watch(root, AddWatchMode::PersistentRecursive).await {
            Ok(mut watcher) => {
                drop(previous.take());
                // Not to hold a session open that everybody else has given up.
                drop(client);
                outbox.resync();
                forward(links, number, &mut watcher, outbox).await;
                previous = Some(watcher);
            }
            Err(error) if is_transient(&error) => {}
            Err(error) => {
                tracing::error!(path = root, "zookeeper: {root} cannot be watched: {error}");
            }
        }
    }
}

/// Forwards events until the connection is another one.
async fn forward(links: &mut Links, number: u64, watcher: &mut PersistentWatcher, outbox: &Outbox) {
    loop {
        let event = tokio::select! {
            event = watcher.changed() => event,
            _ = links.wait_for(|link| !is_connection(link, number)) => return,
        };
        match event.event_type {
            EventType::NodeCreated | EventType::NodeDeleted | EventType::NodeDataChanged => {
                outbox.touched(event.path);
            }
            EventType::NodeChildrenChanged => {}
            // The supervisor judges the session; but a watcher must not be asked after its end.
            EventType::Session if event.session_state.is_terminated() => return,
            EventType::Session => {}
        }
    }
}

fn is_connection(link: &Link, number: u64) -> bool {
    match link {
        Link::Up(connection) => connection.number == number,
        Link::Down | Link::Closed => false,
    }
}
