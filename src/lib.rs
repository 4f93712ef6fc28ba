//! moe-lint predicts, before a GPU is booked, what a framework's checkpoint loader will do with a launch and a checkpoint.
//!
//! Data flows one way: a launch is read, its configuration derived, the schema of its model built, the
//! checkpoint's headers read, both compared, the loader's behaviour predicted, the difference explained.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr))]

pub mod pattern;
pub mod tensor;
pub mod text;

pub mod rules;

pub mod launch;

pub mod training;

pub mod schema;

pub mod checkpoint;
pub mod tokenizer;

pub mod convert;

pub mod infer;

pub mod diff;

pub mod loader;

pub mod diagnose;

pub mod fix;

pub mod repair;

pub mod report;

pub mod check;
pub mod cli;
pub mod commands;
pub mod error;
pub mod settings;
pub mod terminal;
