//! The entries of a difference that nothing explains yet, and taking those that a case is about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diff::{Diff, PartDiff};
use crate::rules::causes::{Case, KeyPattern, LISTS, List};
use crate::rules::expr::{Expr, Scope};
use crate::rules::value::Value;
use crate::tensor::Tensor;

use super::Explained;

/// An entry: the index of its part and of itself in the part's list.
pub(super) type At = (usize, usize);

/// What is not explained, list by list and key by key.
pub(super) struct Open<'d> {
    diff: &'d Diff,
    pub(super) lists: [BTreeMap<&'d str, BTreeSet<At>>; LISTS.len()],
}

/// What a case takes.
#[derive(Default)]
pub(super) struct Taken<'d> {
    pub(super) lists: [TakenList<'d>; LISTS.len()],
}

/// What it takes of one list.
#[derive(Default)]
pub(super) struct TakenList<'d> {
    pub(super) entries: Vec<At>,
    pub(super) keys: BTreeSet<&'d str>,
    /// The first entry that a needed pattern chose.
    first: Option<At>,
    /// By name, the numbers that patterns caught.
    numbers: BTreeMap<String, BTreeSet<u64>>,
}

impl<'d> Open<'d> {
    pub(super) fn all(diff: &'d Diff) -> Self {
        let lists = LISTS.map(|list| {
            let mut entries: BTreeMap<&str, BTreeSet<At>> = BTreeMap::new();
            for (at, part) in diff.parts.iter().enumerate() {
                for entry in 0..length(part, list) {
                    if let Some((key, ..)) = look(diff, list, (at, entry)) {
                        entries.entry(key).or_default().insert((at, entry));
                    }
                }
            }
            entries
        });
        Self { diff, lists }
    }

    /// The entries that a case's patterns and its condition on each of them choose; `None` where one of its lists has
    /// none.
    pub(super) fn take(&self, case: &Case, scope: &Scope<'_>) -> Option<Taken<'d>> {
        let mut taken = Taken::default();
        for (index, list) in LISTS.into_iter().enumerate() {
            let wanted = &case.keys[index];
            let mut is_there = wanted.needed.is_empty();
            if is_there && wanted.along.is_empty() {
                continue;
            }
            for (key, entries) in &self.lists[index] {
                let caught = wanted.all().enumerate().find_map(|(at, pattern)| Some((at, pattern.catches(key)?)));
                let Some((pattern, numbers)) = caught else { continue };
                let chosen = entries
                    .iter()
                    .copied()
                    .filter(|at| case.each.as_ref().is_none_or(|each| self.holds(each, scope, list, *at, &numbers)));
                let before = taken.lists[index].entries.len();
                taken.lists[index].entries.extend(chosen);
                if let Some(first) = taken.lists[index].entries.get(before).copied() {
                    if pattern < wanted.needed.len() {
                        is_there = true;
                        taken.lists[index].first.get_or_insert(first);
                    }
                    taken.lists[index].keys.insert(key);
                    for (name, number) in numbers {
                        taken.lists[index].numbers.entry(name.to_owned()).or_default().insert(number);
                    }
                }
            }
            if !is_there {
                return None;
            }
        }
        Some(taken)
    }

    /// Whether any entry has one of these keys, by list.
    pub(super) fn has_any(&self, patterns: &[Vec<KeyPattern>; LISTS.len()]) -> bool {
        let lists = self.lists.iter().zip(patterns).filter(|(_, patterns)| !patterns.is_empty());
        lists.into_iter().any(|(list, patterns)| list.keys().any(|key| patterns.iter().any(|one| one.matches(key))))
    }

    /// Whether a condition holds for one entry. One that cannot be computed does not.
    fn holds(&self, each: &Expr, scope: &Scope<'_>, list: List, at: At, numbers: &[(&str, u64)]) -> bool {
        let mut inner = Scope::within(scope);
        let Some((key, wants, has)) = look(self.diff, list, at) else { return false };
        inner.set("key", Value::str(key));
        sides(&mut inner, wants, has);
        for (name, number) in numbers {
            inner.set(*name, int(*number));
        }
        each.eval(&inner).is_ok_and(|value| value.truth() == Some(true))
    }

    /// Takes these entries out.
    pub(super) fn remove(&mut self, taken: &Taken<'d>) {
        for (list, taken) in self.lists.iter_mut().zip(&taken.lists) {
            for key in &taken.keys {
                if let Some(entries) = list.get_mut(key) {
                    taken.entries.iter().for_each(|at| _ = entries.remove(at));
                    if entries.is_empty() {
                        list.remove(key);
                    }
                }
            }
        }
    }
}

impl Taken<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.lists.iter().all(|list| list.entries.is_empty())
    }

    /// What is known of the entries, as names for messages and conditions.
    pub(super) fn tell(&self, diff: &Diff, scope: &mut Scope<'_>) {
        for (taken, list) in self.lists.iter().zip(LISTS) {
            let name = list.name();
            let count = |n: usize| int(n as u64);
            scope.set(format!("{name}_entries"), count(taken.entries.len()));
            scope.set(format!("{name}_keys"), count(taken.keys.len()));
            let first = taken.first.or(taken.entries.first().copied()).and_then(|at| look(diff, list, at));
            scope.set(format!("first_{name}"), first.map_or(Value::None, |(key, ..)| Value::str(key)));
            for (caught, numbers) in &taken.numbers {
                let numbers = numbers.iter().map(|number| int(*number)).collect();
                scope.set(format!("{name}_{caught}s"), Value::List(numbers));
            }
        }
        let parts = self.lists.iter().flat_map(|list| &list.entries).map(|(part, _)| part);
        scope.set("parts_concerned", int(parts.collect::<BTreeSet<_>>().len() as u64));
        scope.set("parts_compared", int(diff.parts.len() as u64));
        // Both sides of an entry that has both, else what each side has alone.
        let first = |list: List| {
            let (taken, _) = self.lists.iter().zip(LISTS).find(|(_, of)| *of == list)?;
            look(diff, list, taken.first?)
        };
        let both = first(List::Mismatched).or_else(|| first(List::Retyped));
        let (wants, has) = match both {
            Some((_, wants, has)) => (wants, has),
            None => (first(List::Missing).and_then(|one| one.1), first(List::Unexpected).and_then(|one| one.2)),
        };
        sides(scope, wants, has);
    }

    pub(super) fn explained(self) -> Explained {
        let [missing, unexpected, mismatched, retyped] = self.lists.map(|mut list| {
            list.entries.sort_unstable();
            list.entries
        });
        Explained { missing, unexpected, mismatched, retyped }
    }
}

fn length(part: &PartDiff, list: List) -> usize {
    match list {
        List::Missing => part.missing.len(),
        List::Unexpected => part.unexpected.len(),
        List::Mismatched => part.mismatched.len(),
        List::Retyped => part.retyped.len(),
    }
}

/// An entry's key, what the model wants of it and what the checkpoint has.
type Entry<'d> = (&'d str, Option<&'d Tensor>, Option<&'d Tensor>);

fn look(diff: &Diff, list: List, (part, entry): At) -> Option<Entry<'_>> {
    let part = diff.parts.get(part)?;
    match list {
        List::Missing => part.missing.get(entry).map(|(key, tensor)| (&**key, Some(tensor), None)),
        List::Unexpected => part.unexpected.get(entry).map(|(key, tensor)| (&**key, None, Some(tensor))),
        List::Mismatched => part.mismatched.get(entry).map(|m| (&*m.key, Some(&m.expected), Some(&m.found))),
        List::Retyped => part.retyped.get(entry).map(|m| (&*m.key, Some(&m.expected), Some(&m.found))),
    }
}

/// The names `wants`, `has` (shapes as lists), `wants_dtype` and `has_dtype`.
fn sides(scope: &mut Scope<'_>, wants: Option<&Tensor>, has: Option<&Tensor>) {
    for (tensor, shape, dtype) in [(wants, "wants", "wants_dtype"), (has, "has", "has_dtype")] {
        let sizes = tensor.and_then(|tensor| tensor.shape.as_ref());
        let sizes = sizes.map(|sizes| sizes.iter().map(|size| int(*size)).collect::<Arc<[_]>>());
        scope.set(shape, sizes.map_or(Value::None, Value::List));
        let name = tensor.and_then(|tensor| tensor.dtype.as_ref()).map(|dtype| Value::str(dtype.name()));
        scope.set(dtype, name.unwrap_or(Value::None));
    }
}

fn int(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
