//! The names that loader rules and causes see beside the launch's own values.

use std::collections::BTreeSet;

use super::compare::Compared;
use crate::checkpoint::{self, Checkpoint, CheckpointError, ChosenBy, Location, Problem, Tracker};
use crate::diff::{Mismatch, is_state};
use crate::error::Error;
use crate::loader::{self, Stage};
use crate::rules::causes::{as_path, globs};
use crate::rules::expr::Scope;
use crate::rules::loader::{Hook, LoaderRules};
use crate::rules::storage::StorageRules;
use crate::rules::value::Value;
use crate::schema::Schema;
use crate::tensor::{Inventory, Tensor};
use crate::training::TrainingConfig;

/// Where the loader looks and what it finds there. `given` is true where the user named the checkpoint: then an
/// iteration's own directory is what they mean.
pub(super) fn location<'a>(values: &'a Scope<'a>, location: &Location, given: bool) -> Scope<'a> {
    let mut scope = Scope::within(values);
    let by_path = location.chosen_by == Some(ChosenBy::Path);
    let (tracker, step) = match &location.tracker {
        Tracker::Absent => ("absent", Value::None),
        Tracker::Step(step) => ("step", Value::Int(*step)),
        Tracker::Release => ("release", Value::None),
        Tracker::Garbage(_) => ("garbage", Value::None),
        Tracker::Unreadable(_) => ("unreadable", Value::None),
    };
    let file = location.is_file;
    let path = location.root.as_path();
    let texts = |names: &[String]| Value::List(names.iter().map(|name| Value::str(name)).collect());
    scope.set("root", Value::str(&path.display().to_string()));
    scope.set("root_word", Value::str(&shell_word(&path.display().to_string())));
    scope.set("root_is_file", Value::Bool(file));
    scope.set("root_names", texts(&location.names));
    scope.set("root_parent", path.parent().map_or(Value::None, |parent| Value::str(&parent.display().to_string())));
    let name = path.file_name().and_then(|name| name.to_str());
    let own = name.and_then(|name| checkpoint::locate::step_of(StorageRules::megatron(), name));
    scope.set("root_step", own.and_then(|own| i64::try_from(own).ok()).map_or(Value::None, Value::Int));
    scope.set("iterations", texts(&location.present));
    scope.set("newest_iteration", location.newest.as_deref().map_or(Value::None, Value::str));
    scope.set("root_exists", Value::Bool(location.root_exists || file));
    scope.set("tracker", Value::str(tracker));
    scope.set("tracker_step", step);
    scope.set("tracker_file", Value::str(&StorageRules::megatron().tracker.file));
    scope.set("named_iteration", Value::Bool(by_path));
    scope.set("nothing_named", Value::Bool((location.iteration.is_none() || by_path) && !(given && (by_path || file))));
    scope.set("folder", Value::str(location.folder.as_deref().filter(|f| !f.is_empty()).unwrap_or(".")));
    scope.set("folder_exists", Value::Bool(location.folder_exists || file));
    scope
}

/// A path as one word of a shell, to which more may be added.
fn shell_word(path: &str) -> String {
    let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=@%:,".contains(c);
    if !path.is_empty() && path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

/// What the checkpoint holds and how it differs.
pub(super) fn state(
    scope: &mut Scope<'_>,
    checkpoint: &Checkpoint,
    schema: Option<&Schema>,
    compared: &Compared,
    rules: &LoaderRules,
) -> Result<(), Error> {
    let Compared { diff, missing_files, .. } = compared;
    let count = |n: usize| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    scope.set("checkpoint_format", Value::str(checkpoint.format.name()));
    scope.set("saved", Value::Bool(checkpoint.saved_args.is_some()));
    for (name, value) in checkpoint.saved_args.iter().flatten() {
        scope.set(format!("saved_{name}"), value.clone());
    }
    for part in &checkpoint.parts {
        for (key, _) in part.other.iter() {
            let first = key.split(['.', '/']).next().unwrap_or(key);
            let name = format!("state_{first}");
            if scope.get(&name) == &Value::None {
                scope.set(name, Value::Bool(true));
            }
        }
    }
    for (key, value) in checkpoint.parts.iter().flat_map(|part| &part.values) {
        scope.set(format!("value_{}", key.replace('.', "_")), value.clone());
    }
    let chunks = checkpoint.parts.iter().flat_map(|part| &part.chunks);
    // Bytes: some modules keep an empty tensor of another type, which means nothing.
    let is_empty = |tensor: &Tensor| {
        tensor.dtype.as_ref().is_some_and(|dtype| dtype.name() == "uint8")
            && tensor.shape.as_ref().is_some_and(|shape| shape.contains(&0))
    };
    let empty = chunks.flat_map(Inventory::iter).filter(|(key, tensor)| is_state(key) && is_empty(tensor));
    scope.set("empty_states", count(empty.count()));
    let ranks = match schema {
        Some(Schema::PerRank(ranks)) => ranks.len(),
        _ => 1,
    };
    let chunks = checkpoint.parts.iter().flat_map(|part| &part.chunks);
    scope.set("saved_tensors", count(chunks.map(Inventory::len).sum()));
    scope.set("model_keys", count(schema.map_or(0, keys)));
    let modules: BTreeSet<&str> =
        checkpoint.parts.iter().flat_map(|part| &part.globals).filter_map(|name| name.split('.').next()).collect();
    scope.set("pickle_modules", Value::List(modules.into_iter().map(Value::str).collect()));
    scope.set("ranks", count(ranks));
    scope.set("ranks_without_file", count(missing_files.len()));
    scope.set("missing_file", missing_files.first().map_or(Value::None, |file| Value::str(file)));
    scope.set("one_of_many_chunks", Value::Bool(compared.one_of_many_chunks));
    scope.set("chunks_absent", count(compared.chunks_absent));
    let problem = checkpoint.problems.first().map(ToString::to_string);
    scope.set("damage", problem.map_or(Value::None, |problem| Value::str(&problem)));
    let resizable = globs("loader", &rules.resizable)?;
    let untrained = globs("loader", &rules.untrained)?;
    let (mut missing_trained, mut missing_fixed) = (0, 0);
    let (mut missing, mut missing_states, mut unexpected, mut unexpected_states) = (0, 0, 0, 0);
    let mut missing_optional = 0;
    let (mut mismatched, mut fixed, mut bare) = (0, 0, 0);
    for part in &diff.parts {
        for (key, tensor) in &part.missing {
            if is_state(key) {
                missing_states += 1
            } else {
                missing += 1;
                missing_trained += usize::from(!untrained.is_match(as_path(key)));
                missing_fixed += usize::from(!resizable.is_match(as_path(key)));
            }
            missing_optional += usize::from(tensor.optional);
        }
        for (key, _) in &part.unexpected {
            if is_state(key) { unexpected_states += 1 } else { unexpected += 1 }
        }
        bare += part.retyped.iter().filter(|one| is_bare(one)).count();
        for mismatch in &part.mismatched {
            mismatched += 1;
            fixed += usize::from(!resizable.is_match(as_path(&mismatch.key)));
        }
    }
    for (name, n) in [
        ("missing", missing),
        ("missing_trained", missing_trained),
        ("missing_fixed", missing_fixed),
        ("missing_states", missing_states),
        ("missing_optional", missing_optional),
        ("unexpected", unexpected),
        ("unexpected_states", unexpected_states),
        ("mismatched", mismatched),
        ("mismatched_fixed", fixed),
        ("retyped_bare", bare),
    ] {
        scope.set(name, count(n));
    }
    Ok(())
}

/// Whether a tensor holds whole numbers or 8-bit floats, and the model wants wider floats: such numbers mean something
/// only together with their scales.
fn is_bare(one: &Mismatch) -> bool {
    let name = |tensor: &Tensor| tensor.dtype.as_ref().map_or_else(String::new, |dtype| dtype.name().to_owned());
    let (wanted, found) = (name(&one.expected), name(&one.found));
    let is_small = |name: &str| name.starts_with("int") || name.starts_with("uint") || name.starts_with("float8");
    is_small(&found) && !is_small(&wanted) && wanted.contains("float")
}

/// How many different keys a model has.
fn keys(schema: &Schema) -> usize {
    match schema {
        Schema::Global(inventory) => inventory.len(),
        Schema::PerRank(ranks) => {
            let chunks = ranks.iter().flat_map(|rank| &rank.chunks);
            chunks.flat_map(|chunk| chunk.iter().map(|(key, _)| &**key)).collect::<BTreeSet<&str>>().len()
        }
    }
}

/// Which arguments the launch gives, as `given_<dest>`.
pub(super) fn given(scope: &mut Scope<'_>, config: &TrainingConfig) {
    for dest in config.given.keys() {
        scope.set(format!("given_{dest}"), Value::Bool(true));
    }
}

/// What each stage does, as `stage_<name>`: a verdict's word, or none where a loader has no such stage.
pub(super) fn verdicts(scope: &mut Scope<'_>, stages: &[Stage]) {
    for stage in stages {
        scope.set(format!("stage_{}", stage.name), Value::str(stage.verdict.name()));
    }
}

/// The load hooks that this launch has.
pub(super) fn active<'r>(rules: &'r LoaderRules, scope: &Scope<'_>) -> Result<Vec<&'r Hook>, Error> {
    let mut active = Vec::new();
    for hook in &rules.hooks {
        let holds = hook.when.as_ref().map(|when| when.eval(scope)).transpose()?;
        if holds.is_none_or(|holds| holds.truth() == Some(true)) {
            active.push(&**hook);
        }
    }
    Ok(active)
}

/// The stages when no checkpoint can be read: only the first two can say what the loader does. `broken` is what is wrong
/// where the framework cannot read it either; none where only we cannot.
pub(super) fn without_checkpoint(
    rules: &LoaderRules,
    scope: &mut Scope<'_>,
    error: &CheckpointError,
) -> Result<Vec<Stage>, Error> {
    let broken = matches!(
        error.problem,
        Problem::Missing | Problem::NoCheckpoint { .. } | Problem::Truncated(_) | Problem::Empty | Problem::NotAFile
    );
    scope.set("broken", if broken { Value::str(&error.to_string()) } else { Value::None });
    let first = LoaderRules { stages: rules.stages.iter().take(2).cloned().collect(), ..LoaderRules::default() };
    Ok(loader::run(&first, scope)?)
}
