//! Fences as tables.
