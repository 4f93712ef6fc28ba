//! What a launch means: every argument and derived value, each known with its origin, or unknown with a reason.

pub mod arguments_file;
pub mod saved;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use crate::launch::Word;
use crate::launch::argparse::{self, Given};
use crate::rules::RuleError;
use crate::rules::arguments_file::ArgumentsFile;
use crate::rules::expr::{ExprError, Scope};
use crate::rules::flags::Parser;
use crate::rules::steps::{self, Action, Step};
use crate::rules::value::{Unknown, Value};
use crate::rules::version::Version;
use crate::text::Span;

/// What is installed where the launch will run.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The framework's version.
    pub framework: Version,
    /// Transformer Engine's version; `None` when it cannot be imported.
    pub transformer_engine: Option<Version>,
    /// Whether apex can be imported.
    pub apex: bool,
}

/// A launch's configuration.
#[derive(Debug, Clone)]
pub struct TrainingConfig {
    /// Arguments by dest, and the values derived from them.
    pub values: Scope<'static>,
    /// What is installed.
    pub installed: Installed,
    /// Set when the framework stops the launch.
    pub rejected: Option<Rejection>,
    /// What moe-lint does not model in this launch.
    pub unsupported: Vec<Unsupported>,
    /// Refusals whose condition is not known.
    pub undecided: Vec<Arc<Unknown>>,
    /// By dest, how the launch gives it; defaults are absent.
    pub given: BTreeMap<String, Given>,
    /// Words of the launch that may stand for any options, and settings of a file that may mean anything.
    pub open: Vec<Arc<Unknown>>,
    /// Where the arguments come from in place of the command line.
    pub file: Option<PathBuf>,
}

/// A launch's arguments, before the framework's steps are taken.
#[derive(Debug, Default)]
pub struct Arguments {
    /// By dest, and what is installed.
    pub values: Scope<'static>,
    /// How they are given.
    pub given: BTreeMap<String, Given>,
    /// Where they come from in place of the command line.
    pub file: Option<PathBuf>,
    /// Set when the launch stops already.
    pub rejected: Option<Rejection>,
    /// Why they cannot be told.
    pub unsupported: Vec<Unsupported>,
    /// What may mean anything.
    pub open: Vec<Arc<Unknown>>,
}

/// Who stops a launch before anything is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// `argparse`, `validate_args`, `model`, ...: whose step it is, as the rule files call it.
    pub by: String,
    /// The framework's own reason.
    pub message: String,
    /// The options concerned.
    pub flags: Vec<String>,
    /// Where the words to blame are written, as far as the command line alone tells.
    pub places: Vec<Span>,
}

/// A part of a launch that moe-lint does not model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// What it is.
    pub message: String,
    /// The options concerned.
    pub flags: Vec<String>,
    /// Set where the framework reads its arguments from a file that is not read here: why not. What it would refuse of the
    /// command line tells nothing then.
    pub unread: Option<String>,
}

/// A rule that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A rule file is wrong.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// An expression of a rule cannot be computed for this launch.
    #[error("{rule}: {error}")]
    Expression {
        /// What the rule is about.
        rule: String,
        /// Why not.
        error: ExprError,
    },
}

/// Derives a launch's configuration from the words that the training script receives.
///
/// `world_size` is the number of processes, where the launch or the user tells it.
///
/// # Errors
/// When a rule file is wrong, or a rule cannot be computed for this launch.
pub fn configure(
    parser: &Parser,
    argv: &[Word],
    world_size: Value,
    installed: Installed,
) -> Result<TrainingConfig, ConfigError> {
    configure_with(parser, argv, world_size, installed, &|_| Ok(()))
}

/// As `configure`; `prepare` may change the arguments before the framework's steps are taken.
///
/// # Errors
/// When a rule file is wrong, or a rule cannot be computed for this launch.
pub fn configure_with(
    parser: &Parser,
    argv: &[Word],
    world_size: Value,
    installed: Installed,
    prepare: &dyn Fn(&mut Arguments) -> Result<(), ConfigError>,
) -> Result<TrainingConfig, ConfigError> {
    let parsed = argparse::parse(parser, argv);
    let mut arguments = Arguments::default();
    for (dest, argument) in parsed.arguments {
        arguments.values.set(dest.as_str(), argument.value);
        if let Some(how) = argument.given {
            arguments.given.insert(dest, how);
        }
    }
    arguments.values.set("world_size", world_size);
    arguments.rejected = parsed.rejection.map(|rejection| Rejection {
        by: "argparse".to_owned(),
        message: rejection.message,
        flags: rejection.option.into_iter().collect(),
        places: rejection.places,
    });
    arguments.open = parsed.open;
    derive(arguments, installed, prepare)
}

/// The configuration of a launch whose arguments were saved. Nothing is refused: it ran, and arguments that its own
/// steps filled in would not be taken twice.
///
/// # Errors
/// When a rule cannot be computed for these arguments.
pub fn of_saved(
    parser: &Parser,
    saved: &BTreeMap<String, Value>,
    installed: Installed,
) -> Result<TrainingConfig, ConfigError> {
    // An older version saves fewer arguments: the others have their defaults.
    let defaults = argparse::parse(parser, &[]).arguments;
    let mut values: HashMap<Arc<str>, Value> =
        defaults.into_iter().map(|(name, argument)| (Arc::from(name), argument.value)).collect();
    values.extend(saved.iter().map(|(name, value)| (Arc::from(name.as_str()), value.clone())));
    let mut values = Scope::new(values);
    environment(&mut values, &installed);
    let mut steps = launch_steps(&installed.framework, None)?;
    steps.retain(|step| matches!(step.action, Action::Set { .. }));
    take(&steps, &mut values, &mut Taken::default())?;
    Ok(configured(Arguments { values, ..Arguments::default() }, installed, Taken::default()))
}

/// Takes the framework's steps, unless the command line was refused already.
fn derive(
    mut arguments: Arguments,
    installed: Installed,
    prepare: &dyn Fn(&mut Arguments) -> Result<(), ConfigError>,
) -> Result<TrainingConfig, ConfigError> {
    environment(&mut arguments.values, &installed);
    let mut taken = Taken::default();
    if arguments.rejected.is_none() {
        take(&steps::load(COMMAND_LINE, &installed.framework)?, &mut arguments.values, &mut taken)?;
        if taken.rejected.is_none() {
            prepare(&mut arguments)?;
            taken.rejected = arguments.rejected.take();
        }
        if taken.rejected.is_none() && arguments.unsupported.is_empty() {
            let steps = launch_steps(&installed.framework, arguments.file.as_ref())?;
            take(&steps, &mut arguments.values, &mut taken)?;
        }
    }
    Ok(configured(arguments, installed, taken))
}

/// The scope of the steps that are taken before anything but the command line is read.
const COMMAND_LINE: &str = "command line";

/// The steps that the framework takes for arguments of the command line, or for those of a file.
fn launch_steps(version: &Version, file: Option<&PathBuf>) -> Result<Vec<Arc<Step>>, ConfigError> {
    let rules = ArgumentsFile::load(version)?;
    let others = if file.is_some() { rules.replaces } else { rules.checked_by };
    let mut steps = steps::load("launch", version)?;
    steps.retain(|step| step.by != others);
    Ok(steps)
}

/// What rules know besides a launch's arguments.
fn environment(values: &mut Scope<'static>, installed: &Installed) {
    values.set("version", Value::Version(installed.framework.clone()));
    values.set("te_version", installed.transformer_engine.clone().map_or(Value::None, Value::Version));
    values.set("apex", Value::Bool(installed.apex));
    let reason = "it comes from the files of the tokenizer";
    values.set("tokens_in_files", Value::unknown("the vocabulary size", reason, Vec::new()));
}

fn configured(arguments: Arguments, installed: Installed, taken: Taken) -> TrainingConfig {
    let Arguments { values, given, file, rejected, unsupported, open } = arguments;
    TrainingConfig {
        values,
        installed,
        rejected: rejected.or(taken.rejected),
        unsupported: unsupported.into_iter().chain(taken.unsupported).collect(),
        undecided: taken.undecided,
        given,
        open,
        file,
    }
}

/// The place of an option in the launch; `given` is [`TrainingConfig::given`].
pub fn place(given: &BTreeMap<String, Given>, option: &str) -> Option<Span> {
    given.values().find(|given| given.option == option).and_then(|given| given.places.first().cloned())
}

/// What came of taking steps, besides the values they set.
#[derive(Debug, Default)]
pub struct Taken {
    /// The first refusal.
    pub rejected: Option<Rejection>,
    /// Everything that is not modelled.
    pub unsupported: Vec<Unsupported>,
    /// Refusals whose condition is not known.
    pub undecided: Vec<Arc<Unknown>>,
}

/// Takes steps in order; stops at the first refusal, as the framework does.
///
/// # Errors
/// When an expression of a step cannot be computed.
pub fn take(steps: &[Arc<Step>], scope: &mut Scope<'_>, taken: &mut Taken) -> Result<(), ConfigError> {
    for step in steps {
        let condition = match &step.when {
            None => Value::Bool(true),
            Some(when) => when.eval(scope).map_err(|error| failed(step, error))?,
        };
        match (&step.action, condition.truth()) {
            (_, Some(false)) => {}
            (Action::Set { name, value }, Some(true)) => {
                let value = value.eval(scope).map_err(|error| failed(step, error))?;
                scope.set(name.as_str(), value);
            }
            (Action::Set { name, value }, None) => {
                // Whether it is set is not known: the value is known only if setting it changes nothing.
                let value = value.eval(scope).map_err(|error| failed(step, error))?;
                if *scope.get(name) != value {
                    scope.set(name.as_str(), condition);
                }
            }
            (Action::Reject(message), Some(true)) => {
                taken.rejected = Some(Rejection {
                    by: step.by.clone(),
                    message: message.show(scope),
                    flags: step.flags.clone(),
                    places: Vec::new(),
                });
                return Ok(());
            }
            (Action::Reject(_), None) => {
                if let Value::Unknown(unknown) = condition {
                    taken.undecided.push(unknown);
                }
            }
            (Action::Unsupported(message), _) => {
                let (message, flags) = (message.show(scope), step.flags.clone());
                taken.unsupported.push(Unsupported { message, flags, unread: None });
            }
        }
    }
    Ok(())
}

fn failed(step: &Step, error: ExprError) -> ConfigError {
    let rule = match &step.action {
        Action::Set { name, .. } => format!("the rule for `{name}`"),
        Action::Reject(_) => format!("a refusal of {}", step.by),
        Action::Unsupported(_) => "a limit of moe-lint".to_owned(),
    };
    ConfigError::Expression { rule, error }
}
