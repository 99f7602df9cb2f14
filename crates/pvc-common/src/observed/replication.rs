//! What is said of a database that is replicated on the coordinators.

/// One of the databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name: the node's.
    pub name: String,
    /// Whether it leads.
    pub leads: bool,
    /// What it does, such as `running`, `streaming` or `starting`.
    pub state: String,
    /// The timeline of its data: each new leader begins one. `None` while it serves none.
    pub timeline: Option<u64>,
    /// How much of the leader's log it lacks, in bytes; `None` of the leader, and where nobody knows.
    pub lag: Option<u64>,
}

/// The databases, and which of them leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replication {
    /// All that are known.
    pub members: Vec<Member>,
    /// Whether people have told who replicates them to decide nothing by itself.
    pub paused: bool,
}
