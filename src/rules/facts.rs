//! Named facts about the state beside the model, and about the parameters that a rank builds: what a loader's rules
//! compare.

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::GlobSet;
use serde::Deserialize;

use super::causes::globs;
use super::expr::Expr;
use super::name::NamePattern;
use super::ranged::{Ranged, picked};
use super::version::Version;
use super::{RuleError, check_expr};

/// The facts of one framework version.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Facts in the order in which they are taken: a later one may use the earlier.
    pub facts: Vec<Arc<Fact>>,
    /// Lists of a rank's parameters.
    pub parameters: Vec<Arc<Parameters>>,
    /// When to build what the saved arguments say, to see the order of its parameters.
    pub saved_model: Option<Expr>,
    /// When to look at each rank.
    pub ranks: Option<Expr>,
}

/// One fact.
#[derive(Debug)]
pub struct Fact {
    /// The name that rules use.
    pub name: String,
    /// What it is made of.
    pub source: Source,
    /// Only entries whose numbers have these values.
    pub filter: Vec<(String, Expr)>,
    /// How often it is taken.
    pub each: Each,
}

/// How often a fact is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Each {
    /// Once.
    #[default]
    Load,
    /// Once a rank; what is for the load is told of the first rank that counts.
    Rank,
    /// Once a rank; for the load it is the number of ranks for which it is true.
    Ranks,
}

/// What a fact is made of.
#[derive(Debug)]
pub enum Source {
    /// Whether there is such an entry.
    Holds(Vec<NamePattern>),
    /// How many different numbers such entries have.
    Count(Vec<NamePattern>),
    /// The single settings of such entries, in the order of their numbers; lists among them are joined.
    Values(Vec<NamePattern>),
    /// How many elements each such tensor has, in the order of their numbers.
    Elements(Vec<NamePattern>),
    /// Their shapes as texts.
    Shapes(Vec<NamePattern>),
    /// Those of these names that its pickles would import.
    Mentions(Vec<String>),
    /// A value made of other names.
    Value(Expr),
}

/// A list of a rank's parameters, in the order in which they are registered.
#[derive(Debug)]
pub struct Parameters {
    /// The facts' first word: `<name>_shapes`, `<name>_buckets` and the same of the saved model as `saved_<name>_...`.
    pub name: String,
    /// Their keys.
    pub keys: GlobSet,
    /// Not these.
    pub without: GlobSet,
    /// Only vectors and biases, or only others.
    pub vectors: Option<bool>,
    /// Each lies in a flat buffer at a multiple of this many elements.
    pub alignment: u64,
    /// Those that have a part of a buffer to themselves, and when.
    pub alone: Option<(GlobSet, Expr)>,
    /// A part of a buffer ends when it has this many elements.
    pub part: Expr,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFact {
    name: String,
    #[serde(default)]
    holds: Vec<String>,
    #[serde(default)]
    count: Vec<String>,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    elements: Vec<String>,
    #[serde(default)]
    shapes: Vec<String>,
    #[serde(default)]
    mentions: Vec<String>,
    value: Option<String>,
    #[serde(default, rename = "where")]
    filter: BTreeMap<String, String>,
    #[serde(default)]
    each: Each,
    since: Option<String>,
    until: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawParameters {
    name: String,
    keys: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
    vectors: Option<bool>,
    alignment: u64,
    #[serde(default)]
    alone: Vec<String>,
    alone_when: Option<String>,
    part: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSavedModel {
    when: String,
    ranks: String,
}

/// The facts in all versions.
#[derive(Debug, Default)]
pub(super) struct AllFacts {
    facts: Vec<Ranged<Arc<Fact>>>,
    parameters: Vec<Arc<Parameters>>,
    saved_model: Option<(Expr, Expr)>,
}

impl AllFacts {
    /// Adds what one file says.
    pub(super) fn add(
        &mut self,
        path: &str,
        facts: Vec<RawFact>,
        parameters: Vec<RawParameters>,
        saved_model: Option<RawSavedModel>,
    ) -> Result<(), RuleError> {
        for raw in facts {
            let place = format!("{path}, fact {}", raw.name);
            let (since, until) = (raw.since.clone(), raw.until.clone());
            let fact = Arc::new(fact(&place, raw)?);
            self.facts.push(Ranged::new(&place, since.as_deref(), until.as_deref(), fact)?);
        }
        for raw in parameters {
            let place = format!("{path}, parameters {}", raw.name);
            let when = raw.alone_when.as_deref().map(|text| check_expr(&place, text)).transpose()?;
            let alone = globs(&place, &raw.alone)?;
            self.parameters.push(Arc::new(Parameters {
                keys: globs(&place, &raw.keys)?,
                without: globs(&place, &raw.without)?,
                vectors: raw.vectors,
                alignment: raw.alignment.max(1),
                alone: when.map(|when| (alone, when)),
                part: check_expr(&place, &raw.part)?,
                name: raw.name,
            }));
        }
        if let Some(raw) = saved_model {
            self.saved_model = Some((check_expr(path, &raw.when)?, check_expr(path, &raw.ranks)?));
        }
        Ok(())
    }

    /// Those of one version.
    pub(super) fn of(&self, version: &Version) -> Facts {
        let (saved_model, ranks) = self.saved_model.clone().unzip();
        Facts { facts: picked(&self.facts, version), parameters: self.parameters.clone(), saved_model, ranks }
    }
}

fn fact(place: &str, raw: RawFact) -> Result<Fact, RuleError> {
    let patterns = |texts: &[String]| {
        let patterns = texts.iter().map(|text| NamePattern::new(text));
        patterns.collect::<Result<Vec<_>, _>>().map_err(|e| RuleError::new(place, e.to_string()))
    };
    let mut sources = Vec::new();
    let mut add = |texts: &[String], make: fn(Vec<NamePattern>) -> Source| -> Result<(), RuleError> {
        if !texts.is_empty() {
            sources.push(make(patterns(texts)?));
        }
        Ok(())
    };
    add(&raw.holds, Source::Holds)?;
    add(&raw.count, Source::Count)?;
    add(&raw.values, Source::Values)?;
    add(&raw.elements, Source::Elements)?;
    add(&raw.shapes, Source::Shapes)?;
    if !raw.mentions.is_empty() {
        sources.push(Source::Mentions(raw.mentions));
    }
    if let Some(text) = &raw.value {
        sources.push(Source::Value(check_expr(place, text)?));
    }
    let one = || RuleError::new(place, "a fact has one of holds, count, values, elements, shapes, value");
    let source = sources.pop().ok_or_else(one)?;
    if !sources.is_empty() {
        return Err(one());
    }
    let filter = raw.filter.iter().map(|(number, value)| Ok((number.clone(), check_expr(place, value)?)));
    Ok(Fact { name: raw.name, source, filter: filter.collect::<Result<_, RuleError>>()?, each: raw.each })
}
