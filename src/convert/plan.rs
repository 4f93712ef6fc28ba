//! Which entry of the target is made of what: keys and shapes only, no file is touched.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{ConvertError, Result};
use crate::rules::convert::{ConvertRules, Entry as Part, Layout};
use crate::rules::key_form::Places;

/// An entry of a state dict of the source.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Its shape, if it is a plain tensor.
    pub shape: Option<Vec<u64>>,
    /// For the state of a module: whether nothing is kept in it.
    pub is_empty_state: bool,
}

/// What an entry of the target is made of. Numbers are those of the source's entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// That entry as it is.
    Same(usize),
    /// None.
    Nothing,
    /// One of the matrices that lie in an entry one after the other, transposed.
    Split {
        /// The entry.
        entry: usize,
        /// Which of them.
        block: u64,
    },
    /// The matrices of these entries one after the other, each transposed.
    Join(Vec<usize>),
}

/// An entry of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its key.
    pub key: String,
    /// What it is made of.
    pub from: From,
    /// The shape of what is split or joined.
    pub shape: Vec<u64>,
    /// Whether it belongs to the experts.
    pub is_expert: bool,
}

/// The target's entries of one state dict.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the order in which they are written.
    pub targets: Vec<Target>,
    /// The layout that the source's experts have; `None` without experts.
    pub found: Option<String>,
    /// Module states that were not empty and are left out.
    pub dropped_states: usize,
}

/// A plan that leaves everything as it is.
pub fn unchanged(entries: &[Entry]) -> Plan {
    let target = |(index, entry): (usize, &Entry)| Target {
        key: entry.key.clone(),
        from: From::Same(index),
        shape: Vec::new(),
        is_expert: false,
    };
    Plan { targets: entries.iter().enumerate().map(target).collect(), ..Plan::default() }
}

/// The experts of one layer: for each part, the entries by expert, or the one with all of them.
type Parts<'r> = BTreeMap<&'r str, BTreeMap<u64, usize>>;

/// The layout that the experts' entries have.
///
/// # Errors
/// When they have none that is known, or several.
pub fn layout<'r>(rules: &'r ConvertRules, entries: &[Entry]) -> Result<Option<&'r Layout>> {
    let experts: Vec<&str> =
        entries.iter().map(|entry| entry.key.as_str()).filter(|key| is_expert(rules, key)).collect();
    let Some(first) = experts.first() else { return Ok(None) };
    let has = |layout: &Layout, key: &str| layout.entries.iter().any(|entry| entry.key.places(key).is_some());
    let Some(layout) = rules.experts.layouts.iter().find(|layout| has(layout, first)) else {
        return Err(unknown(first));
    };
    match experts.iter().find(|key| !has(layout, key)) {
        Some(other) => Err(unknown(other)),
        None => Ok(Some(layout)),
    }
}

fn is_expert(rules: &ConvertRules, key: &str) -> bool {
    rules.experts.entries.places(key).is_some()
}

fn unknown(key: &str) -> ConvertError {
    ConvertError::refused(
        format!("`{key}` is no entry of the experts in a layout that is known here"),
        "nothing is written; please report this key",
    )
}

/// Plans the experts of one state dict in the layout `to`. `count` is the number of experts of a rank, where it is known.
///
/// # Errors
/// When they cannot be stored so without loss.
pub fn experts(rules: &ConvertRules, entries: &[Entry], to: &Layout, count: Option<u64>) -> Result<Plan> {
    let Some(from) = layout(rules, entries)? else { return Ok(unchanged(entries)) };
    let mut layers: BTreeMap<&str, Parts<'_>> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| is_expert(rules, &entry.key)) {
        for part in &from.entries {
            if let Some(Places { layer, expert, .. }) = part.key.places(&entry.key) {
                layers.entry(layer).or_default().entry(&part.part).or_default().insert(expert.unwrap_or(0), index);
            }
        }
    }
    let mut plan = Plan { found: Some(from.name.clone()), ..Plan::default() };
    let mut written = BTreeSet::new();
    for (index, entry) in entries.iter().enumerate() {
        let Some(Places { layer, .. }) = rules.experts.entries.places(&entry.key) else {
            plan.targets.push(Target {
                key: entry.key.clone(),
                from: From::Same(index),
                shape: Vec::new(),
                is_expert: false,
            });
            continue;
        };
        // All of a layer's experts stand where the first of them stood.
        if written.insert(layer) {
            let parts = &layers[layer];
            let (targets, dropped) = Layer { rules, entries, from, to, layer, parts, count }.plan()?;
            plan.targets.extend(targets);
            plan.dropped_states += dropped;
        }
    }
    Ok(plan)
}

struct Layer<'a> {
    rules: &'a ConvertRules,
    entries: &'a [Entry],
    from: &'a Layout,
    to: &'a Layout,
    layer: &'a str,
    parts: &'a Parts<'a>,
    count: Option<u64>,
}

impl Layer<'_> {
    fn plan(&self) -> Result<(Vec<Target>, usize)> {
        let count = self.experts()?;
        let mut targets = Vec::new();
        let mut dropped = 0;
        for (part, found) in self.parts {
            if self.is_state(part) {
                dropped += found.values().filter(|&&index| !self.entries[index].is_empty_state).count();
            } else if self.part(self.to, part).is_none() {
                let (key, module) = (&self.entries[*found.values().next().unwrap_or(&0)].key, &self.to.module);
                let message = format!("{module} has no place for `{key}`");
                return Err(ConvertError::refused(message, "choose another layout"));
            }
        }
        let kept = dropped == 0;
        for (order, part) in self.to.entries.iter().enumerate() {
            let made =
                if self.is_state(&part.part) { self.states(part, count, kept) } else { self.tensors(part, count)? };
            targets.extend(made.into_iter().map(|(expert, from, shape)| {
                let places = Places { layer: self.layer, expert: Some(expert), rest: "" };
                let target = Target { key: part.key.write(places), from, shape, is_expert: true };
                (expert, order, target)
            }));
        }
        // With a module an expert they are saved expert by expert.
        if self.to.entries.iter().all(|part| part.key.has_expert()) {
            targets.sort_by_key(|(expert, order, _)| (*expert, *order));
        }
        Ok((targets.into_iter().map(|(.., target)| target).collect(), dropped))
    }

    /// How many experts the rank has.
    fn experts(&self) -> Result<u64> {
        let mut count = self.count;
        for part in &self.from.entries {
            let Some(found) = self.parts.get(&*part.part) else { continue };
            if !part.key.has_expert() {
                continue;
            }
            let here = found.len() as u64;
            if found.keys().copied().ne(0..here) || count.is_some_and(|count| count != here) {
                let expected =
                    count.map_or_else(|| "numbered from 0 on".to_owned(), |count| format!("{count} of them"));
                let message = format!(
                    "`{}` has {here} experts, expected {expected}: {}",
                    self.layer,
                    part.key.write(Places { layer: self.layer, expert: found.keys().next_back().copied(), rest: "" })
                );
                return Err(ConvertError::refused(message, "the checkpoint is incomplete: use another one"));
            }
            count = Some(here);
        }
        let weights = self.rules.experts.layouts.iter().flat_map(|layout| &layout.entries);
        for part in weights.filter(|part| part.joined.is_some()).map(|part| &part.part) {
            if !self.parts.contains_key(&**part) {
                let message = format!("the experts of `{}` have no {part}", self.layer);
                return Err(ConvertError::refused(message, "the checkpoint is incomplete: use another one"));
            }
        }
        count.filter(|&count| count > 0).ok_or_else(|| {
            ConvertError::refused(
                format!("how many experts a rank has is not known: `{}` holds them in one tensor", self.layer),
                "the checkpoint has no saved arguments that tell: give --experts-per-rank N",
            )
        })
    }

    fn is_state(&self, part: &str) -> bool {
        self.rules.experts.states.parts.iter().any(|state| state == part)
    }

    fn part<'l>(&self, layout: &'l Layout, part: &str) -> Option<&'l Part> {
        layout.entries.iter().find(|entry| entry.part == part)
    }

    /// The tensors of one part: expert, source and shape.
    fn tensors(&self, to: &Part, count: u64) -> Result<Vec<(u64, From, Vec<u64>)>> {
        let Some(found) = self.parts.get(&*to.part) else { return Ok(Vec::new()) };
        let joined = self.part(self.from, &to.part).and_then(|from| from.joined);
        match (joined, to.joined) {
            (None, None) | (Some(_), Some(_)) => {
                Ok(found.iter().map(|(&expert, &index)| (expert, From::Same(index), Vec::new())).collect())
            }
            (None, Some(axis)) => {
                let indices: Vec<usize> = found.values().copied().collect();
                let shape = self.matrix(indices[0])?;
                for &index in &indices {
                    if self.matrix(index)? != shape {
                        let message = format!("`{}` has another shape than its neighbours", self.entries[index].key);
                        return Err(ConvertError::refused(message, "the checkpoint is damaged: use another one"));
                    }
                }
                let [rows, columns] = shape;
                let mut shape = vec![columns, rows];
                shape[axis] = shape[axis].saturating_mul(count);
                Ok(vec![(0, From::Join(indices), shape)])
            }
            (Some(axis), None) => {
                let index = found[&0];
                let mut shape = self.matrix(index)?;
                if !shape[axis].is_multiple_of(count) {
                    let message = format!(
                        "`{}` of the shape {shape:?} does not hold {count} experts of one size",
                        self.entries[index].key
                    );
                    return Err(ConvertError::refused(message, "compare the saved arguments with the file"));
                }
                shape[axis] /= count;
                let [columns, rows] = shape;
                let split = |block| (block, From::Split { entry: index, block }, vec![rows, columns]);
                Ok((0..count).map(split).collect())
            }
        }
    }

    fn matrix(&self, index: usize) -> Result<[u64; 2]> {
        let entry = &self.entries[index];
        let shape = entry.shape.as_deref().and_then(|shape| <[u64; 2]>::try_from(shape).ok());
        shape.ok_or_else(|| {
            ConvertError::refused(
                format!("`{}` is no plain matrix (a quantised one, say): it cannot be taken apart", entry.key),
                "save the checkpoint in bf16 or fp32 first",
            )
        })
    }

    /// The states of one part: those of the source if nothing is kept in them, else what a neighbour's looks like.
    fn states(&self, to: &Part, count: u64, kept: bool) -> Vec<(u64, From, Vec<u64>)> {
        let states = &self.rules.experts.states;
        let own = self.parts.get(&*to.part).and_then(|found| found.values().next());
        let has_part = self.part(self.from, &to.part).is_some();
        let like = || {
            let keys = states.like.iter().map(|form| form.write(Places { layer: self.layer, ..Places::default() }));
            let found = keys.filter_map(|key| self.entries.iter().position(|entry| entry.key == key));
            found.into_iter().find(|&index| self.entries[index].is_empty_state)
        };
        let has_states = || self.entries.iter().any(|entry| entry.key.ends_with(&states.suffix));
        let from = match own {
            Some(&index) if kept => From::Same(index),
            Some(_) => From::Nothing,
            None if has_part || !self.has_neighbour(&to.part) || !has_states() => return Vec::new(),
            None => like().map_or(From::Nothing, From::Same),
        };
        let experts = if to.key.has_expert() { count } else { 1 };
        (0..experts).map(|expert| (expert, from.clone(), Vec::new())).collect()
    }

    /// Whether the part's module has a weight; a state alone is made only where the source has one.
    fn has_neighbour(&self, part: &str) -> bool {
        let module = part.split(' ').next().unwrap_or(part);
        self.to.entries.iter().any(|other| !self.is_state(&other.part) && other.part.split(' ').next() == Some(module))
    }
}
