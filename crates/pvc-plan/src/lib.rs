//! Every decision of the cluster, as pure functions.
