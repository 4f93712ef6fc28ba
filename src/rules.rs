//! The rule engine: framework knowledge is data in `rules/`, this module reads and evaluates it.

pub mod embedded;
pub mod flags;
pub mod value;
pub mod version;
