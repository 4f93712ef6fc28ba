//! What a launch means and what it builds, in one framework version.

use std::sync::Arc;

use super::arguments_file;
use super::reading::Reading;
use super::saved;
use super::target::Target;
use super::tokenizer;
use crate::checkpoint::Format;
use crate::error::Error;
use crate::launch::forks::{self, ForkFlag};
use crate::launch::{Entry, Launch, Word, entry_point};
use crate::rules::flags::{FlagTable, Parser};
use crate::rules::value::{Unknown, Value};
use crate::schema::{Builder, Schema};
use crate::training::{Rejection, TrainingConfig, configure_with, place};

/// The model family that the rules describe.
const FAMILY: &str = "gpt";
/// The framework of entry points that may be anybody's.
const UNKNOWN_FRAMEWORK: &str = "unknown";
/// Who refuses words that the parser does not know, in [`Rejection::by`].
const COMMAND_LINE: &str = "argparse";

/// What a launch means and builds.
pub(super) struct Understood {
    /// The launch.
    pub launch: Arc<Launch>,
    /// The framework and what is beside it.
    pub target: Target,
    /// What the training program's parser knows.
    pub parser: Parser,
    /// The launch's values.
    pub config: TrainingConfig,
    /// Set when the launch stops before it builds a model.
    pub rejected: Option<Rejection>,
    /// What would have to be known.
    pub undetermined: Vec<Arc<Unknown>>,
    /// Whether another program, or a fork, makes the model and loads it, or other words than these tell how.
    pub foreign: bool,
    /// Whether `undetermined` keeps us from telling what is built at all.
    outside: bool,
    /// Whether `undetermined` decides only shapes and dtypes, not which entries there are.
    pub keys_known: bool,
    builder: Option<Builder>,
}

impl Understood {
    /// Reads a launch's words as the target's training program would.
    ///
    /// # Errors
    /// When no command trains, or a rule cannot be computed for this launch.
    pub fn new(reading: &Reading<'_>, target: &Target) -> Result<Self, Error> {
        let entry = reading.launch.training_entry().ok_or(Error::NoTrainingCommand)?;
        let parser = FlagTable::load()?.parser(target.version());
        let world = world_size(reading, &entry);
        let (arguments, added) = forks::part(&parser, entry.arguments);
        let config = configure_with(&parser, &arguments, world, target.installed(), &|arguments| {
            arguments_file::read(arguments, &parser, reading)?;
            saved::take_over(&mut arguments.values, reading)?;
            tokenizer::read(&mut arguments.values, reading)
        })?;
        let mut undetermined = other_framework(&entry, &added, config.rejected.as_ref());
        let foreign = !undetermined.is_empty() || config.unsupported.iter().any(|one| one.unread.is_some());
        // Where another program reads the words, or others are read, what this framework would refuse tells nothing.
        let rejected = config.rejected.clone().filter(|_| !foreign);
        undetermined.extend(other_family(&entry));
        undetermined.extend(config.open.iter().cloned());
        for unsupported in &config.unsupported {
            let places = unsupported.flags.iter().filter_map(|flag| place(&config.given, flag)).collect();
            let outside = || "it is outside of what moe-lint models".to_owned();
            let reason = unsupported.unread.clone().unwrap_or_else(outside);
            undetermined.push(Arc::new(Unknown { name: unsupported.message.clone(), reason, places }));
        }
        Ok(Self {
            launch: Arc::clone(&reading.launch),
            target: target.clone(),
            parser,
            rejected,
            config,
            foreign,
            outside: !undetermined.is_empty(),
            keys_known: undetermined.is_empty(),
            undetermined,
            builder: None,
        })
    }

    /// The words that the training script receives.
    pub fn arguments(&self) -> &[Word] {
        self.launch.training_entry().map_or(&[], |entry| entry.arguments)
    }

    /// What the launch builds in that format; nothing when it is refused or outside of the model.
    ///
    /// # Errors
    /// When a rule cannot be computed for this launch.
    pub fn build(&mut self, format: Format) -> Result<Option<Schema>, Error> {
        if self.rejected.is_some() || self.outside {
            return Ok(None);
        }
        if format != Format::Torch
            && let Some(reason) = self.config.values.get("no_global_state").text()
        {
            let unknown =
                Unknown { name: "the global state".to_owned(), reason: reason.to_owned(), places: Vec::new() };
            self.undetermined.push(Arc::new(unknown));
            return Ok(None);
        }
        let builder = match self.builder.take() {
            Some(builder) => builder,
            None => Builder::new(&self.config)?,
        };
        let built = match format {
            Format::Torch => builder.per_rank(&self.config)?,
            _ => builder.global(&self.config)?,
        };
        self.builder = Some(builder);
        self.rejected = built.rejected;
        self.keys_known &= built.unknown.is_empty();
        for unknown in built.unknown.into_iter().chain(built.unknown_shapes) {
            if !self.undetermined.contains(&unknown) {
                self.undetermined.push(unknown);
            }
        }
        Ok(Some(built.schema))
    }
}

/// The number of processes, where the user or the launch tells it.
fn world_size(reading: &Reading<'_>, entry: &Entry<'_>) -> Value {
    match reading.request.machine.world_size {
        Some(size) => Value::Int(i64::try_from(size).unwrap_or(i64::MAX)),
        None if entry.distributed => entry.world_size.value.clone(),
        None => Value::unknown("the number of processes", "the launch does not tell it", Vec::new()),
    }
}

/// Why it is not this framework, or not all of it, that makes a model of the words.
fn other_framework(entry: &Entry<'_>, added: &[ForkFlag], rejected: Option<&Rejection>) -> Vec<Arc<Unknown>> {
    let point = entry_point(entry);
    let name = entry.script.value.as_deref().unwrap_or("the script").to_owned();
    let unknown = |name: String, reason: String, places| Arc::new(Unknown { name, reason, places });
    if let Some(point) = point.filter(|point| point.own_arguments) {
        let reason =
            format!("{} has arguments of its own and makes the model from them in its own way", point.framework);
        return vec![unknown(name, reason, entry.script.places.clone())];
    }
    let mut all: Vec<Arc<Unknown>> = Vec::new();
    for flag in added {
        let reason = format!("it is a flag of {}: what it changes is not modelled", flag.fork.name);
        let one = unknown(flag.flag.clone(), reason, flag.word.places.clone());
        if all.iter().all(|known| known.name != one.name) {
            all.push(one);
        }
    }
    let known = point.is_some_and(|point| point.framework != UNKNOWN_FRAMEWORK);
    if let Some(rejected) = rejected.filter(|rejected| !known && rejected.by == COMMAND_LINE) {
        let reason = format!("what it does with its arguments is not known; Megatron-LM says: {}", rejected.message);
        all.push(unknown(name, reason, entry.script.places.clone()));
    }
    all
}

/// A training script for models that the rules do not describe.
fn other_family(entry: &Entry<'_>) -> Option<Arc<Unknown>> {
    let point = entry_point(entry).filter(|point| point.family != FAMILY)?;
    let name = entry.script.value.as_deref().unwrap_or("the script").to_owned();
    let reason = format!("it trains a {} model, which is not modelled", point.family);
    Some(Arc::new(Unknown { name, reason, places: entry.script.places.clone() }))
}
