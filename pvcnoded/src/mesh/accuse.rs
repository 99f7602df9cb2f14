//! Whom this node suspects, in the tree: one ephemeral key for each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pvc_common::id::NodeName;
use pvc_common::model::Suspicion;
use pvc_common::zk::{Op, Text, Version, key};
use pvc_runtime::drain::Drain;
use pvc_zk::{CommitError, SubtreeError, Tree};
use tokio::sync::watch;
use tracing::Instrument;

use super::{Ear, Heard, now};

/// A suspicion is written once, when it is made.
const UNTOUCHED: Version = Version(0);

/// Keeps the accusations in the tree in line with what is heard, until drained.
///
/// An accusation is announced to the detector, and written down in `file`, before it is written,
/// and taken back only once it is known to be gone: who is accused is not answered, so that its
/// lease cannot be prolonged by somebody who is in the tree as not hearing it. Not even by the
/// next daemon of this node, for the accusation outlives this one by as long as its session.
pub async fn accuse<T: Tree>(
    tree: T,
    me: NodeName,
    ear: Arc<Ear>,
    mut heard: watch::Receiver<Heard>,
    file: PathBuf,
    drain: Drain,
) {
    let mut accuser = Accuser { tree, me, ear, file, written: BTreeMap::new(), searched: false };
    let rounds = async {
        while heard.changed().await.is_ok() {
            accuser.round().await;
        }
    };
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = rounds.instrument(tracing::info_span!("accuser")) => {}
    }
}

/// Whom the former daemon of this node accused, by its file; `None` if there is none: the host
/// has booted since.
#[must_use]
pub fn accused_before(file: &Path) -> Option<BTreeSet<NodeName>> {
    let text = std::fs::read_to_string(file).ok()?;
    Some(text.lines().filter_map(|line| line.parse().ok()).collect())
}

struct Accuser<T> {
    tree: T,
    me: NodeName,
    ear: Arc<Ear>,
    file: PathBuf,
    /// In which session each accusation was written that is known to be there.
    written: BTreeMap<NodeName, u64>,
    searched: bool,
}

impl<T: Tree> Accuser<T> {
    async fn round(&mut self) {
        let Some(epoch) = self.tree.session().borrow().live() else {
            // What is in the tree ends with the session; until a new one begins nobody knows.
            return;
        };
        if !self.searched {
            match self.search().await {
                Ok(()) => {
                    self.searched = true;
                    self.ear.remember();
                    self.write_down().await;
                }
                Err(error) => {
                    tracing::debug!(%error, "former suspicions cannot be searched for yet");
                    return;
                }
            }
        }
        let suspects = self.ear.suspects(now());
        // Who is heard waits for nobody: an accusation may take as long as a call's deadline.
        for peer in self.ear.accused() {
            if !suspects.contains_key(&peer) {
                self.end(&peer).await;
            }
        }
        for peer in suspects.keys() {
            if self.written.get(peer) != Some(&epoch) {
                self.begin(peer, epoch).await;
            }
        }
    }

    /// Takes back what a former daemon of this node accused others of.
    async fn search(&self) -> Result<(), SubtreeError> {
        let names = self.tree.children(key::NODES).await?.unwrap_or_default();
        for peer in names.iter().filter_map(|name| name.parse::<NodeName>().ok()) {
            let path = key::node_suspicion(&peer, &self.me).into_path();
            if self.tree.get(&path).await?.is_some() {
                self.withdraw(&peer).await?;
            }
        }
        Ok(())
    }

    async fn begin(&mut self, peer: &NodeName, epoch: u64) {
        // Who is accused is not answered until the tree can be written to again, and may have to
        // end itself for that: nobody is accused unless it can be written to now. A read would
        // not show that.
        if let Err(error) = self.withdraw(peer).await {
            tracing::debug!(%error, "{peer} cannot be accused yet");
            return;
        }
        if !self.ear.suspects(now()).contains_key(peer) {
            return;
        }
        self.ear.accuse(peer);
        self.write_down().await;
        match self.write(peer).await {
            Ok(true) => {
                self.written.insert(peer.clone(), epoch);
                tracing::warn!(node.name = %peer, "{peer} is suspected");
            }
            Ok(false) => {}
            Err(error) => tracing::debug!(%error, "the suspicion of {peer} is not written yet"),
        }
    }

    async fn end(&mut self, peer: &NodeName) {
        // Should nobody answer it may be gone all the same: then it has to be written anew.
        self.written.remove(peer);
        match self.withdraw(peer).await {
            Ok(()) => {
                tracing::info!(node.name = %peer, "{peer} is suspected no more");
                self.ear.acquit(peer);
                self.write_down().await;
            }
            Err(error) => tracing::debug!(%error, "the suspicion of {peer} is not removed yet"),
        }
    }

    /// Whether it was written: the peer may have been heard while the tree was reached.
    async fn write(&self, peer: &NodeName) -> Result<bool, SubtreeError> {
        let Some(silent) = self.ear.suspects(now()).get(peer).copied() else { return Ok(false) };
        let (number, _) = uuid::Uuid::new_v4().as_u64_pair();
        let silent_ms = u64::try_from(silent.as_millis()).unwrap_or(u64::MAX);
        let data = Suspicion { number, silent_ms }.encode().into_bytes();
        let path = key::node_suspicion(peer, &self.me).into_path();
        self.tree.commit(vec![Op::CreateEphemeral { path, data }]).await?;
        Ok(true)
    }

    /// Removes what this node may have written, whichever session that was.
    async fn withdraw(&self, peer: &NodeName) -> Result<(), SubtreeError> {
        let path = key::node_suspicion(peer, &self.me).into_path();
        match self.tree.commit(vec![Op::Delete { path, version: UNTOUCHED }]).await {
            Ok(()) | Err(CommitError::Superseded { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn write_down(&self) {
        let text: String = self.ear.accused().iter().map(|peer| format!("{peer}\n")).collect();
        if let Err(error) = super::write_whole(&self.file, &text).await {
            tracing::warn!(%error, "whom this node suspects could not be written down");
        }
    }
}
