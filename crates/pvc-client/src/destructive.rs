//! The proof that somebody agreed to lose something.

/// Permission to interrupt a VM or to delete something.
///
/// Operations that do either take it, so that no code path reaches them without having
/// asked. Only the place that asks should make one.
#[derive(Debug)]
pub struct Destructive(());

impl Destructive {
    /// States that the person or script in charge has agreed.
    #[must_use]
    pub const fn agreed() -> Self {
        Self(())
    }
}
