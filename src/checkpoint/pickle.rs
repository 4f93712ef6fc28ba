//! Reading pickles without running anything: the result is plain data.
//!
//! Where Python would import a name or call a function, this machine only writes down that it was asked to. Values
//! live in one arena and refer to each other by number, so shared parts are stored once, cycles are harmless, and
//! neither reading nor dropping a value recurses. Opcodes: CPython's `Lib/pickletools.py`, protocols 0 to 5.

pub mod graph;

mod containers;
mod data;
mod machine;
mod opcodes;
mod scalars;

pub use data::{Data, Id, Node};
pub use machine::{Failure, Loaded, load};
