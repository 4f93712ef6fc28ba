//! The arguments that a checkpoint implies: from what its launch saved, and from keys and shapes.

mod facts;

use std::collections::BTreeMap;

use crate::checkpoint::Checkpoint;
use crate::rules::RuleError;
use crate::rules::expr::{ExprError, Scope};
use crate::rules::flags::{FlagError, FlagTable, Parser};
use crate::rules::infer::{Argument, InferRules};
use crate::rules::value::Value;
use crate::rules::version::Version;

/// What a checkpoint implies, in the order of the rules.
#[derive(Debug, Clone, Default)]
pub struct Inference {
    /// The arguments.
    pub arguments: Vec<Inferred>,
    /// What they are told from, by the rules' names.
    pub facts: Scope<'static>,
}

/// One argument.
#[derive(Debug, Clone)]
pub struct Inferred {
    /// Its dest.
    pub name: String,
    /// Its option, as a launch would spell it.
    pub option: String,
    /// What is known of it.
    pub known: Known,
}

/// What is known of an argument.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// Its value.
    Value {
        /// The value.
        value: Value,
        /// The words that give it; none where it is the default.
        words: Vec<String>,
        /// Where it is known from.
        from: From,
        /// What it takes for granted.
        assumes: Option<String>,
        /// The saved value, where keys and shapes say otherwise.
        saved: Option<Value>,
    },
    /// Nothing, and why.
    Nothing(String),
}

/// Where a value is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The arguments that were saved with it.
    SavedArgs,
    /// Keys and shapes.
    Shapes,
}

impl From {
    /// The word for it, in reports and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::SavedArgs => "saved args",
            Self::Shapes => "shapes",
        }
    }
}

/// Why nothing can be inferred.
#[derive(Debug, thiserror::Error)]
pub enum InferError {
    /// A rule file is wrong.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The flags' rule files are wrong.
    #[error(transparent)]
    Flags(#[from] FlagError),
    /// A rule cannot be computed for this checkpoint.
    #[error("the rule for `{name}` cannot be computed for this checkpoint: {error}")]
    Expression {
        /// The argument.
        name: String,
        /// Why not.
        error: ExprError,
    },
}

/// The arguments that a checkpoint implies, spelled for a framework version.
///
/// # Errors
/// When a rule is wrong or cannot be computed.
pub fn infer(checkpoint: &Checkpoint, version: &Version) -> Result<Inference, InferError> {
    let rules = InferRules::load(version)?;
    let parser = FlagTable::load()?.parser(version);
    let mut facts = facts::facts(&rules, checkpoint);
    let mut shapes: BTreeMap<&str, (Value, Option<String>)> = BTreeMap::new();
    let mut cannot: BTreeMap<&str, String> = BTreeMap::new();
    for rule in &rules.arguments {
        if shapes.contains_key(&*rule.name) {
            continue;
        }
        match told(rule, &facts)? {
            Some(value) => {
                // Later rules may build on it.
                facts.set(rule.name.as_str(), value.clone());
                let assumes = rule.assumes.as_ref().map(|text| text.show(&facts));
                shapes.insert(&rule.name, (value, assumes));
            }
            None => {
                if let Some(reason) = &rule.cannot {
                    cannot.entry(&rule.name).or_insert_with(|| reason.show(&facts));
                }
            }
        }
    }
    let mut inference = Inference { facts, ..Inference::default() };
    for rule in &rules.arguments {
        if inference.arguments.iter().any(|one| one.name == rule.name) {
            continue;
        }
        let Some(option) = option(&parser, &rule.name) else { continue };
        let saved = saved(checkpoint, &rule.name);
        let known = match (saved, shapes.remove(&*rule.name)) {
            (Some(saved), Some((value, None))) if !same(&saved, &value) => {
                // What is there is loaded, whatever was saved about it.
                written(&parser, rule, value, From::Shapes, None, Some(saved))
            }
            (Some(saved), _) => written(&parser, rule, saved, From::SavedArgs, None, None),
            (None, Some((value, assumes))) => written(&parser, rule, value, From::Shapes, assumes, None),
            (None, None) => Known::Nothing(cannot.remove(&*rule.name).unwrap_or_default()),
        };
        if known != Known::Nothing(String::new()) {
            inference.arguments.push(Inferred { name: rule.name.clone(), option, known });
        }
    }
    Ok(inference)
}

fn written(
    parser: &Parser,
    rule: &Argument,
    value: Value,
    from: From,
    assumes: Option<String>,
    saved: Option<Value>,
) -> Known {
    match parser.spell(&rule.name, &value) {
        Some(words) => Known::Value { value, words, from, assumes, saved },
        None => Known::Nothing(format!("no option of this version gives {value}")),
    }
}

/// What a rule tells.
fn told(rule: &Argument, facts: &Scope<'_>) -> Result<Option<Value>, InferError> {
    let failed = |error| InferError::Expression { name: rule.name.clone(), error };
    if let Some(when) = &rule.when
        && when.eval(facts).map_err(failed)?.truth() != Some(true)
    {
        return Ok(None);
    }
    let Some(value) = &rule.value else { return Ok(None) };
    let value = value.eval(facts).map_err(failed)?;
    Ok((!matches!(value, Value::None | Value::Unknown(_))).then_some(value))
}

/// A saved argument that says something.
fn saved(checkpoint: &Checkpoint, name: &str) -> Option<Value> {
    let value = checkpoint.saved_args.as_ref()?.get(name)?;
    (!matches!(value, Value::Unknown(_))).then(|| value.clone())
}

/// The option that sets a dest.
fn option(parser: &Parser, dest: &str) -> Option<String> {
    let action = parser.setting(dest).next()?;
    action.options.iter().find(|option| option.starts_with("--")).map(ToString::to_string)
}

/// Whether two values mean the same to a model: what is not given is off.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::None, Value::Bool(false)) | (Value::Bool(false), Value::None) => true,
        (Value::Int(int), Value::Float(float)) | (Value::Float(float), Value::Int(int)) => {
            #[allow(clippy::cast_precision_loss, reason = "arguments are small")]
            let int = *int as f64;
            int == *float
        }
        _ => left == right,
    }
}
