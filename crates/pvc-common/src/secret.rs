//! Values that must not be shown.

/// A password, token or key.
///
/// Has neither `Debug` nor `Display`, and so can reach no log line, no answer and no panic
/// message by accident; a type that holds one cannot derive `Debug` either.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for handing it to whoever needs it and to nobody else.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}
