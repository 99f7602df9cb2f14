//! Builds views from what is read of the tree, path by path.

use std::sync::{Arc, Mutex, PoisonError};

use super::branch::{Branch, Found, Taken, below};
use super::{Fault, View};
use crate::zk::Version;

/// How much of the tree a view holds; each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The cluster's settings, nodes and VMs, but not what a VM needs.
    States,
    /// What decisions read: also what each VM needs, client networks, SR-IOV functions, and tasks. Definitions are
    /// read for that, not kept.
    Decisions,
    /// What people are shown: everything but logs and the BMC's credentials.
    Full,
}

/// Builds views from what is read of the tree, path by path, in any order.
///
/// What cannot be understood becomes a [`Fault`] in the view and hides nothing else; what is
/// not known to us, such as lock contenders, is ignored.
#[derive(Clone, Debug)]
pub struct Builder {
    scope: Scope,
    view: View,
    /// What a path is tried on that may be wanted. Stays empty, for nothing is there of what is
    /// tried. Locked rather than copied: a whole tree is tried path by path.
    blank: Arc<Mutex<View>>,
}

impl Builder {
    /// Starts from an empty tree.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self { scope, view: View::default(), blank: Arc::default() }
    }

    /// Starts from an empty tree; for [`Scope::Full`].
    #[must_use]
    pub fn full() -> Self {
        Self::new(Scope::Full)
    }

    /// Whether the view shows anything of this path, or of what is below it.
    #[must_use]
    pub fn wants(&self, path: &str) -> bool {
        let found = Found { data: None, scope: self.scope };
        let mut blank = self.blank.lock().unwrap_or_else(PoisonError::into_inner);
        blank.take(path, found) != Taken::Unwanted
    }

    /// Takes note of what `path` holds now; `None` if there is no such znode any more.
    pub fn set(&mut self, path: &str, data: Option<(&[u8], Version)>) {
        match self.view.take(path, Found { data, scope: self.scope }) {
            Taken::Bad(why) => {
                let fault = Fault { path: path.to_owned(), why };
                Arc::make_mut(&mut self.view.faults).insert(path.to_owned(), fault);
            }
            Taken::Understood | Taken::Unwanted => {
                let gone = data.is_none();
                self.forget_faults(|at| at == path || gone && below(at, path).is_some());
            }
        }
    }

    /// Forgets everything at and below `root`, a child of the tree's root.
    pub fn clear(&mut self, root: &str) {
        self.view.clear(root);
        self.forget_faults(|at| below(at, root).is_some());
    }

    /// The present state, complete and immutable. Costs nothing: objects are copied when they
    /// change, and only then.
    #[must_use]
    pub fn snapshot(&self) -> Arc<View> {
        Arc::new(self.view.clone())
    }

    fn forget_faults(&mut self, is_over: impl Fn(&str) -> bool) {
        if self.view.faults.keys().any(|at| is_over(at)) {
            Arc::make_mut(&mut self.view.faults).retain(|at, _| !is_over(at));
        }
    }
}
