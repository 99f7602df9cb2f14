//! Keys that only this node writes: what it last wrote there, so that it writes only changes.

use std::collections::BTreeMap;

use pvc_common::zk::{Expected, Op, Version};
use pvc_zk::{CommitError, Tree, TreeError};

/// Why something could not be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// What is there now could not be read.
    #[error(transparent)]
    Read(#[from] TreeError),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] CommitError),
}

struct Known {
    data: Vec<u8>,
    expected: Expected,
}

/// Writes keys that nobody else writes, and knows what it wrote.
///
/// A key that was changed or removed behind its back costs one more reading.
pub struct OwnKeys<T> {
    tree: T,
    known: BTreeMap<String, Known>,
}

impl<T: Tree> OwnKeys<T> {
    /// Knows nothing yet.
    pub const fn new(tree: T) -> Self {
        Self { tree, known: BTreeMap::new() }
    }

    /// Brings keys to these values in one transaction; returns how many had to be written.
    ///
    /// # Errors
    /// When the tree cannot be reached, refuses (a parent is gone), or is changed by others twice.
    pub async fn publish(&mut self, values: &[(String, String)]) -> Result<usize, PublishError> {
        self.write(values, false).await
    }

    /// As [`OwnKeys::publish`], but writes them all: where the write itself is the message.
    ///
    /// # Errors
    /// As [`OwnKeys::publish`].
    pub async fn rewrite(&mut self, values: &[(String, String)]) -> Result<(), PublishError> {
        self.write(values, true).await.map(|_| ())
    }

    async fn write(
        &mut self,
        values: &[(String, String)],
        always: bool,
    ) -> Result<usize, PublishError> {
        match self.attempt(values, always).await {
            Err(PublishError::Write(CommitError::Superseded { path })) => {
                tracing::debug!(path, "a key of this node was changed by somebody else");
                self.attempt(values, always).await
            }
            outcome => outcome,
        }
    }

    /// Forgets keys below `prefix`, which this node writes no more.
    pub fn forget(&mut self, prefix: &str) {
        self.known.retain(|path, _| !path.starts_with(prefix));
    }

    async fn attempt(
        &mut self,
        values: &[(String, String)],
        always: bool,
    ) -> Result<usize, PublishError> {
        self.learn(values).await?;
        let changed: Vec<&(String, String)> = values
            .iter()
            .filter(|(path, text)| always || self.known.get(path).is_none_or(|k| k.differs(text)))
            .collect();
        let ops = changed
            .iter()
            .map(|(path, text)| Op::put(path, text.as_bytes(), self.expected(path)))
            .collect();
        let outcome = self.tree.commit(ops).await;
        for (path, text) in &changed {
            match (&outcome, self.known.get_mut(path)) {
                (Ok(()), Some(known)) => known.written(text),
                (Ok(()), None) => {}
                // Unknown or refused: whatever is there is read before the next write.
                (Err(_), _) => drop(self.known.remove(path)),
            }
        }
        outcome?;
        Ok(changed.len())
    }

    /// Reads what is not known yet.
    async fn learn(&mut self, values: &[(String, String)]) -> Result<(), TreeError> {
        let new: Vec<String> = values
            .iter()
            .filter(|(path, _)| !self.known.contains_key(path))
            .map(|(path, _)| path.clone())
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let found = self.tree.get_many(&new).await?;
        for (path, entry) in new.into_iter().zip(found) {
            let known = match entry {
                Some(e) => Known { data: e.data, expected: Expected::Version(e.version) },
                None => Known { data: vec![], expected: Expected::Absent },
            };
            self.known.insert(path, known);
        }
        Ok(())
    }

    fn expected(&self, path: &str) -> Expected {
        self.known.get(path).map_or(Expected::Absent, |known| known.expected)
    }
}

impl Known {
    fn differs(&self, text: &str) -> bool {
        self.expected == Expected::Absent || self.data != text.as_bytes()
    }

    fn written(&mut self, text: &str) {
        self.data = text.as_bytes().to_vec();
        self.expected = Expected::Version(match self.expected {
            Expected::Absent => Version(0),
            // The server counts past the greatest number into the negative ones.
            Expected::Version(Version(number)) => Version(number.wrapping_add(1)),
        });
    }
}
