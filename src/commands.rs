//! The commands, from what was typed to what was found. `main` prints it.

use crate::checkpoint::{self, Checkpoint, Options};
use crate::cli::{CheckArgs, InspectArgs, SchemaArgs};
use crate::error::Error;
use crate::report::{Report, SchemaReport};

/// Checks a launch against a checkpoint.
///
/// # Errors
/// When there is nothing to judge: no launch, an unreadable file. A finding is never an error.
pub fn check(_: &CheckArgs) -> Result<Report, Error> {
    Err(Error::NotBuilt("check"))
}

/// Tells what a launch builds.
///
/// # Errors
/// When there is nothing to judge: no launch, an unreadable file.
pub fn schema(_: &SchemaArgs) -> Result<SchemaReport, Error> {
    Err(Error::NotBuilt("schema"))
}

/// Tells what a checkpoint holds.
///
/// # Errors
/// When the checkpoint cannot be read. Damage that leaves the rest readable is in its `problems`.
pub fn inspect(args: &InspectArgs) -> Result<Checkpoint, Error> {
    Ok(checkpoint::read(&args.checkpoint, &Options::default())?)
}
