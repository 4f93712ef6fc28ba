//! What a checkpoint's keys and shapes tell of the arguments that it was saved with.

use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use super::expr::Expr;
use super::ranged::{Ranged, picked};
use super::template::Template;
use super::version::Version;
use super::{RuleError, check_expr, check_template, embedded};

const FILE: &str = "megatron/infer.toml";

/// The rules of one framework version.
#[derive(Debug, Clone, Default)]
pub struct InferRules {
    /// What is looked for in a checkpoint, in order.
    pub facts: Vec<Arc<Fact>>,
    /// Arguments by dest, in the order to tell them; of several for one dest the first that tells something counts.
    pub arguments: Vec<Arc<Argument>>,
}

/// A tensor to look for.
#[derive(Debug, Clone)]
pub struct Fact {
    /// The name under which expressions see it.
    pub name: String,
    /// Its keys; the first that is there counts.
    pub keys: Vec<KeyPattern>,
}

/// A key, with numbers in braces.
#[derive(Debug, Clone)]
pub struct KeyPattern {
    /// Its parts between the dots.
    pub parts: Vec<Part>,
    /// The axis that ranks share.
    pub split: Option<usize>,
    /// Leading axes that are not the tensor's own: one for the numbers of experts, say.
    pub skip: usize,
}

/// A part of a key between dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// As it stands.
    Text(String),
    /// A layer's number. Distributed checkpoints put all layers of a kind into one tensor and leave it out.
    Layer,
    /// Another number, behind a text or alone.
    Number(String),
}

/// What is told of one argument.
#[derive(Debug, Clone)]
pub struct Argument {
    /// Its dest.
    pub name: String,
    /// Only when this is true.
    pub when: Option<Expr>,
    /// Its value; `none` (or not known) where it cannot be told.
    pub value: Option<Expr>,
    /// Why it cannot be told, where it cannot.
    pub cannot: Option<Template>,
    /// What is taken for granted: then saved arguments know better.
    pub assumes: Option<Template>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fact: Vec<RawFact>,
    argument: Vec<RawArgument>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFact {
    name: String,
    key: Vec<RawKey>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RawKey {
    Plain(String),
    Full(FullKey),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FullKey {
    key: String,
    split: Option<usize>,
    #[serde(default)]
    skip: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawArgument {
    name: String,
    when: Option<String>,
    value: Option<String>,
    cannot: Option<String>,
    assumes: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

/// What is known of all versions.
struct All {
    facts: Vec<Arc<Fact>>,
    arguments: Vec<Ranged<Arc<Argument>>>,
}

static ALL: LazyLock<Result<All, RuleError>> = LazyLock::new(read);

fn read() -> Result<All, RuleError> {
    let (path, text) = embedded::below(FILE).next().ok_or_else(|| RuleError::new(FILE, "there is no such file"))?;
    let file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
    let mut all = All { facts: Vec::new(), arguments: Vec::new() };
    for fact in file.fact {
        let keys = fact.key.into_iter().map(|key| match key {
            RawKey::Plain(key) => KeyPattern::new(&key, None, 0),
            RawKey::Full(full) => KeyPattern::new(&full.key, full.split, full.skip),
        });
        all.facts.push(Arc::new(Fact { name: fact.name, keys: keys.collect() }));
    }
    for raw in file.argument {
        let place = format!("{path}, argument {}", raw.name);
        let argument = Argument {
            when: raw.when.as_deref().map(|text| check_expr(&place, text)).transpose()?,
            value: raw.value.as_deref().map(|text| check_expr(&place, text)).transpose()?,
            cannot: raw.cannot.as_deref().map(|text| check_template(&place, text)).transpose()?,
            assumes: raw.assumes.as_deref().map(|text| check_template(&place, text)).transpose()?,
            name: raw.name,
        };
        all.arguments.push(Ranged::new(&place, raw.since.as_deref(), raw.until.as_deref(), Arc::new(argument))?);
    }
    Ok(all)
}

impl InferRules {
    /// The rules of a version.
    ///
    /// # Errors
    /// When the rule file cannot be read.
    pub fn load(version: &Version) -> Result<Self, RuleError> {
        let all = ALL.as_ref().map_err(Clone::clone)?;
        Ok(Self { facts: all.facts.clone(), arguments: picked(&all.arguments, version) })
    }
}

impl KeyPattern {
    fn new(key: &str, split: Option<usize>, skip: usize) -> Self {
        let part = |part: &str| match part.split_once('{') {
            None => Part::Text(part.to_owned()),
            Some(("", "layer}")) => Part::Layer,
            Some((before, _)) => Part::Number(before.to_owned()),
        };
        Self { parts: key.split('.').map(part).collect(), split, skip }
    }

    /// Whether a key is of this form: then its layer's number, `Some(None)` where it stands for all layers of a kind.
    pub fn matches(&self, key: &str) -> Option<Option<u64>> {
        // Most keys end in something else.
        if let Some(Part::Text(last)) = self.parts.last()
            && !key.ends_with(last.as_str())
        {
            return None;
        }
        let mut layer = None;
        let mut given = key.split('.').peekable();
        for part in &self.parts {
            match part {
                Part::Text(text) => {
                    given.next_if(|given| given == text)?;
                }
                Part::Number(before) => {
                    given.next()?.strip_prefix(before.as_str())?.parse::<u64>().ok()?;
                }
                Part::Layer => {
                    if let Some(number) = given.peek().and_then(|part| part.parse().ok()) {
                        layer = Some(number);
                        given.next();
                    }
                }
            }
        }
        given.next().is_none().then_some(layer)
    }

    /// Whether it has a layer's number.
    pub fn has_layer(&self) -> bool {
        self.parts.contains(&Part::Layer)
    }
}
