//! Facts about the state beside the model, once for the load and once for each rank, as the loader's rules define them.

use std::collections::HashMap;
use std::sync::Arc;

use super::parameters;
use crate::checkpoint::{Checkpoint, Part};
use crate::error::Error;
use crate::rules::expr::{ExprError, Scope};
use crate::rules::facts::{Each, Fact, Facts, Source};
use crate::rules::loader::LoaderRules;
use crate::rules::name::NamePattern;
use crate::rules::value::Value;
use crate::schema::{Rank, Schema};
use crate::tensor::Tensor;

/// Builds what the saved arguments say, a state dict a rank; nothing where that is not known.
pub(super) type SavedModel<'a> = &'a dyn Fn() -> Result<Option<Schema>, Error>;

/// Sets the facts that the loader's rules ask for. `schema` is what each rank builds.
///
/// # Errors
/// When a rule cannot be computed for this launch.
pub(super) fn facts(
    scope: &mut Scope<'_>,
    rules: &LoaderRules,
    checkpoint: &Checkpoint,
    schema: Option<&Schema>,
    saved: SavedModel<'_>,
) -> Result<(), Error> {
    let Facts { facts, ranks: wanted, .. } = &rules.facts;
    let mut first = Lists::of(checkpoint.parts.first());
    for fact in facts.iter().filter(|fact| fact.each == Each::Load) {
        let value = first.value(fact, scope)?;
        scope.set(fact.name.as_str(), value);
    }
    let when = wanted.as_ref().map(|when| when.eval(scope)).transpose()?;
    let wanted = when.as_ref().and_then(Value::truth);
    let Some(Schema::PerRank(ranks)) = schema.filter(|_| wanted == Some(true)) else {
        let value = match when {
            Some(Value::Unknown(unknown)) => Value::Unknown(unknown),
            _ if wanted == Some(true) => Value::unknown("what the launch builds", "see above", Vec::new()),
            _ => Value::Int(0),
        };
        for fact in facts.iter().filter(|fact| fact.each == Each::Ranks) {
            scope.set(fact.name.as_str(), value.clone());
        }
        return Ok(());
    };
    let asked = rules.facts.saved_model.as_ref().map(|when| when.eval(scope)).transpose()?;
    let saved = if asked.and_then(|asked| asked.truth()) == Some(true) { saved()? } else { None };
    let of_saved: HashMap<_, _> = match &saved {
        Some(Schema::PerRank(ranks)) => ranks.iter().map(|rank| (rank.coordinates, rank)).collect(),
        _ => HashMap::new(),
    };
    let parts: HashMap<&str, &Part> = checkpoint.parts.iter().map(|part| (&*part.file, part)).collect();
    let global = checkpoint.parts.first().filter(|part| part.coordinates.is_none());
    let mut tallies: HashMap<Arc<str>, Value> = HashMap::new();
    // What is told are the facts of the first rank that counts, else those of the first rank.
    let mut telling: Option<(bool, Named)> = None;
    for rank in ranks {
        let Some(part) = parts.get(&*rank.file).copied().or(global) else { continue };
        let mut own;
        let lists = if global.is_some() {
            &mut first
        } else {
            own = Lists::of(Some(part));
            &mut own
        };
        let (values, counts) = of_rank(scope, rules, rank, of_saved.get(&rank.coordinates).copied(), lists)?;
        if telling.as_ref().is_none_or(|(counted, _)| counts && !counted) {
            telling = Some((counts, values.clone()));
        }
        for fact in facts.iter().filter(|fact| fact.each == Each::Ranks) {
            let value = values.iter().find(|(name, _)| **name == *fact.name).map_or(&Value::None, |(_, value)| value);
            let tally = tallies.entry(Arc::from(fact.name.as_str())).or_insert(Value::Int(0));
            *tally = match (&*tally, value.truth()) {
                (Value::Int(n), Some(truth)) => Value::Int(n + i64::from(truth)),
                (Value::Int(0), None) => value.clone(),
                (Value::Unknown(_), Some(true)) => Value::Int(1),
                (tally, _) => tally.clone(),
            };
        }
    }
    let told = telling.map(|(_, values)| values).unwrap_or_default();
    for fact in facts.iter().filter(|fact| fact.each == Each::Ranks) {
        tallies.entry(Arc::from(fact.name.as_str())).or_insert(Value::Int(0));
    }
    for (name, value) in told.into_iter().chain(tallies) {
        scope.set(name, value);
    }
    Ok(())
}

type Named = Vec<(Arc<str>, Value)>;

/// The facts of one rank, and whether one of those that are counted is true.
fn of_rank(
    outer: &Scope<'_>,
    rules: &LoaderRules,
    rank: &Rank,
    saved: Option<&Rank>,
    lists: &mut Lists<'_>,
) -> Result<(Named, bool), Error> {
    let mut scope = Scope::within(outer);
    let count = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    scope.set("tp_rank", count(rank.coordinates.tp));
    scope.set("pp_rank", count(rank.coordinates.pp));
    scope.set("ep_rank", count(rank.coordinates.ep));
    scope.set("etp_rank", rank.coordinates.etp.map_or(Value::None, count));
    for class in &rules.facts.parameters {
        parameters::describe(&mut scope, "", class, rank, &rules.order)?;
        if let Some(saved) = saved {
            parameters::describe(&mut scope, "saved_", class, saved, &rules.order)?;
        }
    }
    let mut counts = false;
    for fact in rules.facts.facts.iter().filter(|fact| fact.each != Each::Load) {
        let value = lists.value(fact, &scope)?;
        counts |= fact.each == Each::Ranks && value.truth() != Some(false);
        scope.set(fact.name.as_str(), value);
    }
    Ok((scope.own().map(|(name, value)| (Arc::clone(name), value.clone())).collect(), counts))
}

/// What the entries of one file hold, each list made once.
struct Lists<'p> {
    part: Option<&'p Part>,
    made: HashMap<*const Fact, Vec<Item>>,
}

/// The numbers of an entry's key, and what is asked of it.
type Item = (Vec<(String, u64)>, Value);

impl<'p> Lists<'p> {
    fn of(part: Option<&'p Part>) -> Self {
        Self { part, made: HashMap::new() }
    }

    fn value(&mut self, fact: &Arc<Fact>, scope: &Scope<'_>) -> Result<Value, ExprError> {
        if let Source::Value(expr) = &fact.source {
            return expr.eval(scope);
        }
        let part = self.part;
        let items = self.made.entry(Arc::as_ptr(fact)).or_insert_with(|| items(fact, part));
        let mut wanted = Vec::new();
        for (number, value) in &fact.filter {
            match value.eval(scope)? {
                unknown @ Value::Unknown(_) => return Ok(unknown),
                value => wanted.push((number.as_str(), value.int().and_then(|n| u64::try_from(n).ok()))),
            }
        }
        let fits = |(numbers, _): &&Item| {
            wanted.iter().all(|(name, number)| numbers.iter().any(|(n, value)| n == name && Some(*value) == *number))
        };
        let found: Vec<&Item> = items.iter().filter(fits).collect();
        Ok(match &fact.source {
            Source::Holds(_) => Value::Bool(!found.is_empty()),
            Source::Count(_) => {
                let mut numbers: Vec<_> = found.iter().map(|(numbers, _)| numbers).collect();
                // They are sorted.
                numbers.dedup();
                Value::Int(i64::try_from(numbers.len()).unwrap_or(i64::MAX))
            }
            _ => {
                let mut list = Vec::new();
                for (_, value) in found {
                    match value {
                        Value::List(items) => list.extend(items.iter().cloned()),
                        value => list.push(value.clone()),
                    }
                }
                Value::List(list.into())
            }
        })
    }
}

/// The entries that a fact speaks of, sorted by their numbers.
fn items(fact: &Fact, part: Option<&Part>) -> Vec<Item> {
    let Some(part) = part else { return Vec::new() };
    let numbers = |patterns: &[NamePattern], key: &str| {
        let numbers = patterns.iter().find_map(|pattern| pattern.numbers(key))?;
        Some(numbers.into_iter().map(|(name, number)| (name.to_owned(), number)).collect::<Vec<_>>())
    };
    let of_tensors = |patterns: &[NamePattern], value: &dyn Fn(&Tensor) -> Option<Value>| {
        let entries = part.other.iter();
        entries.filter_map(|(key, tensor)| Some((numbers(patterns, key)?, value(tensor)?))).collect::<Vec<_>>()
    };
    let mut items: Vec<Item> = match &fact.source {
        Source::Holds(patterns) | Source::Count(patterns) => of_tensors(patterns, &|_| Some(Value::None)),
        Source::Elements(patterns) => of_tensors(patterns, &parameters::elements),
        Source::Shapes(patterns) => of_tensors(patterns, &parameters::shape),
        Source::Values(patterns) => {
            let values = part.values.iter();
            values.filter_map(|(key, value)| Some((numbers(patterns, key)?, value.clone()))).collect()
        }
        Source::Mentions(names) => {
            let mentioned = part.globals.iter().filter(|name| names.contains(name));
            mentioned.map(|name| (Vec::new(), Value::str(name))).collect()
        }
        Source::Value(_) => Vec::new(),
    };
    items.sort_by(|(a, _), (b, _)| a.iter().map(|(_, n)| n).cmp(b.iter().map(|(_, n)| n)));
    items
}
