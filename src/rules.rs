//! The rule engine: framework knowledge is data in `rules/`, this module reads and evaluates it.

pub mod embedded;
pub mod name;
pub mod storage;
pub mod value;
pub mod version;
