//! What the launch built that saved a checkpoint, as far as its saved arguments tell.

use super::understand::Understood;
use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::schema::{Builder, Schema};
use crate::training::of_saved;

/// What each rank of the launch built that saved a checkpoint; nothing where its arguments do not tell.
///
/// # Errors
/// When a rule file is wrong.
pub(super) fn model(checkpoint: &Checkpoint, understood: &Understood) -> Result<Option<Schema>, Error> {
    let Some(saved) = &checkpoint.saved_args else { return Ok(None) };
    // Arguments of another version may be of other kinds than the rules expect: then nothing is known.
    let Ok(config) = of_saved(&understood.parser, saved, understood.target.installed()) else { return Ok(None) };
    let Ok(built) = Builder::new(&config)?.per_rank(&config) else { return Ok(None) };
    Ok((built.rejected.is_none() && built.unknown.is_empty()).then_some(built.schema))
}
