//! The real databases: PostgreSQL, spoken to in its own protocol, and Patroni, by HTTP.

mod patroni;
mod postgres;

pub use patroni::Patroni;
pub use postgres::{Login, Postgres};
