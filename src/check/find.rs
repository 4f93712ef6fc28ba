//! Where the checkpoint to load lies.

use std::path::PathBuf;

use super::reading::Reading;
use super::scope;
use crate::checkpoint::{self, Location, Options};
use crate::error::Error;
use crate::rules::expr::{ExprError, Scope};
use crate::rules::loader::LoaderRules;
use crate::rules::value::Value;
use crate::training::TrainingConfig;

/// A path to load from and what lies there.
pub(super) struct Found {
    /// The path.
    pub path: PathBuf,
    /// The iteration that the launch asks for.
    pub step: Option<u64>,
    /// What the loader finds there.
    pub location: Location,
    /// Whether the user named it, instead of the launch.
    pub given: bool,
}

/// The checkpoint to load, and what the loader sees of it. May give the launch's values other meanings, where the
/// framework falls back to another path.
///
/// # Errors
/// When neither the user nor the launch names one, or its name is not known.
pub(super) fn find(
    reading: &Reading<'_>,
    config: &mut TrainingConfig,
    rules: &LoaderRules,
) -> Result<Option<Found>, Error> {
    let Some(path) = reading.request.checkpoint_path(config)? else { return Ok(None) };
    let step = config.values.get("load_step").int().and_then(|step| u64::try_from(step).ok());
    let options = Options { step, rules: None };
    let location = checkpoint::locate(&path, &options);
    let given = reading.request.checkpoint.is_some();
    if !given && let Some(other) = elsewhere(&mut config.values, rules, &location)? {
        let location = checkpoint::locate(&other, &options);
        return Ok(Some(Found { path: other, step, location, given }));
    }
    Ok(Some(Found { path, step, location, given }))
}

/// Another path that the framework loads from, because the launch's own holds nothing.
fn elsewhere(values: &mut Scope<'static>, rules: &LoaderRules, location: &Location) -> Result<Option<PathBuf>, Error> {
    for source in &rules.sources {
        let facts = scope::location(values, location, false);
        if source.when.eval(&facts)?.truth() != Some(true) {
            continue;
        }
        let other = match source.path.eval(&facts)? {
            Value::Str(path) => PathBuf::from(&*path),
            Value::Unknown(unknown) => return Err(Error::UnknownCheckpoint(unknown)),
            _ => continue,
        };
        let set = source.set.iter().map(|(name, value)| Ok((name.as_str(), value.eval(&facts)?)));
        let set: Vec<_> = set.collect::<Result<_, ExprError>>()?;
        drop(facts);
        for (name, value) in set {
            values.set(name, value);
        }
        return Ok(Some(other));
    }
    Ok(None)
}
