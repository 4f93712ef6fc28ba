//! One walk through the module tree: from a class and a scope to an inventory.

use std::collections::HashMap;
use std::sync::Arc;

use crate::rules::expr::{Expr, ExprError, Scope};
use crate::rules::modules::{Content, Each, Entry, Modules, Side};
use crate::rules::steps::Step;
use crate::rules::template::Template;
use crate::rules::value::{Unknown, Value};
use crate::tensor::{Dtype, Inventory, Key, Kind, Tensor};
use crate::training::{ConfigError, Taken, take};

/// Which state dict is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A rank's own.
    Local,
    /// The global one.
    Global,
}

/// Where the walk stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// Path so far; a trailing `*` stands for the name that follows.
    path: String,
    /// Lengths of the leading axes that stacked indexes add to global tensors.
    axes: Vec<u64>,
    /// Whether everything here is filled in by itself where a checkpoint lacks it.
    optional: bool,
}

/// The walk and what it has gathered.
pub(super) struct Walk<'a> {
    modules: &'a Modules,
    steps: &'a HashMap<String, Vec<Arc<Step>>>,
    mode: Mode,
    /// The entries so far.
    pub(super) inventory: Inventory,
    /// What decides which entries there are, and is not known.
    pub(super) unknown: Vec<Arc<Unknown>>,
    /// What decides only the shape or dtype of entries, and is not known.
    pub(super) unknown_shapes: Vec<Arc<Unknown>>,
    /// Refusals on the way.
    pub(super) taken: Taken,
}

impl<'a> Walk<'a> {
    pub(super) fn new(modules: &'a Modules, steps: &'a HashMap<String, Vec<Arc<Step>>>, mode: Mode) -> Self {
        Self {
            modules,
            steps,
            mode,
            inventory: Inventory::new(),
            unknown: Vec::new(),
            unknown_shapes: Vec::new(),
            taken: Taken::default(),
        }
    }

    /// Adds everything that a class registers below `place`.
    pub(super) fn class(&mut self, name: &str, scope: &Scope<'_>, place: &Place) -> Result<(), ConfigError> {
        let modules = self.modules;
        for entry in modules.class(name) {
            if self.skipped(entry, name, scope)? {
                continue;
            }
            match &entry.each {
                None => self.entry(entry, name, scope, place, None)?,
                Some(each) => self.repeated(entry, each, name, scope, place)?,
            }
        }
        Ok(())
    }

    fn skipped(&mut self, entry: &Entry, class: &str, scope: &Scope<'_>) -> Result<bool, ConfigError> {
        if matches!((entry.side, self.mode), (Side::Local, Mode::Global) | (Side::Global, Mode::Local)) {
            return Ok(true);
        }
        let Some(when) = &entry.when else { return Ok(false) };
        let value = when.eval(scope).map_err(|e| wrong(class, e))?;
        Ok(match value.truth() {
            Some(truth) => !truth,
            None => {
                self.note(value);
                true
            }
        })
    }

    fn note(&mut self, value: Value) {
        note(&mut self.unknown, value);
    }

    fn note_shape(&mut self, value: Value) {
        note(&mut self.unknown_shapes, value);
    }

    fn repeated(
        &mut self,
        entry: &Entry,
        each: &Each,
        class: &str,
        scope: &Scope<'_>,
        place: &Place,
    ) -> Result<(), ConfigError> {
        let numbers = match each.over.eval(scope).map_err(|e| wrong(class, e))? {
            Value::List(numbers) => numbers,
            value => {
                self.note(value);
                return Ok(());
            }
        };
        let stacked = self.mode == Mode::Global
            && match &each.stacked {
                None => false,
                Some(stacked) => {
                    let value = stacked.eval(scope).map_err(|e| wrong(class, e))?;
                    let truth = value.truth();
                    self.note(value);
                    truth == Some(true)
                }
            };
        let mut inner_place = place.clone();
        if stacked && let Some(total) = &each.total {
            match size(total, class, scope)? {
                Ok(total) => inner_place.axes.push(total),
                Err(unknown) => {
                    self.note(unknown);
                    return Ok(());
                }
            }
        }
        for (position, number) in numbers.iter().enumerate() {
            let mut inner = Scope::within(scope);
            inner.set(each.index.as_str(), number.clone());
            if let Some(steps) = self.steps.get(&each.index) {
                take(steps, &mut inner, &mut self.taken)?;
            }
            // In its own path the index is the local position, or the number in the whole model.
            let shown = match self.mode {
                Mode::Local => Value::Int(i64::try_from(position).unwrap_or(i64::MAX)),
                Mode::Global if stacked => Value::str(STACKED),
                Mode::Global => number.clone(),
            };
            self.entry(entry, class, &inner, &inner_place, Some((&each.index, shown)))?;
            if stacked {
                // All numbers share one key.
                break;
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &Entry,
        class: &str,
        scope: &Scope<'_>,
        place: &Place,
        index: Option<(&str, Value)>,
    ) -> Result<(), ConfigError> {
        let mut bound = Scope::within(scope);
        for (name, value) in &entry.with {
            let value = value.eval(scope).map_err(|e| wrong(class, e))?;
            bound.set(name.as_str(), value);
        }
        let mut in_path = Scope::within(&bound);
        if let Some((index, shown)) = index {
            in_path.set(index, shown);
        }
        let optional = entry.optional || place.optional;
        match &entry.content {
            Content::Like(other) => self.class(other, &bound, &Place { optional, ..place.clone() }),
            Content::Child { path, global, module } => {
                let Some(path) = self.join(place, path, global, class, &in_path)? else { return Ok(()) };
                self.class(module, &bound, &Place { path, axes: place.axes.clone(), optional })
            }
            Content::Object { name, global } => {
                let Some(key) = self.join(place, name, global, class, &in_path)? else { return Ok(()) };
                let shape = (self.mode == Mode::Global).then(|| grid(&place.axes));
                self.add(key, Tensor { shape, optional, ..Tensor::object() }, class)?;
                Ok(())
            }
            Content::Tensor { name, global, shape, split, dtype } => {
                let Some(key) = self.join(place, name, global, class, &in_path)? else { return Ok(()) };
                let shape = self.shape(shape, *split, class, &bound, place)?;
                let dtype = match dtype {
                    Some(expr) => expr.eval(&bound).map_err(|e| wrong(class, e))?,
                    None => bound.get("dtype").clone(),
                };
                let name = dtype.text().map(Dtype::new);
                self.note_shape(dtype);
                self.add(key, Tensor { kind: Kind::Tensor, shape, dtype: name, file: None, optional }, class)?;
                Ok(())
            }
        }
    }

    /// Adds an entry. A key that two entries of the rules give is a fault of the rules.
    fn add(&mut self, key: String, tensor: Tensor, class: &str) -> Result<(), ConfigError> {
        let key: Key = Arc::from(key);
        match self.inventory.insert(Arc::clone(&key), tensor) {
            None => Ok(()),
            Some(_) => {
                let message = "two entries of the rules give this key".to_owned();
                Err(wrong(class, ExprError { message, text: key.to_string() }))
            }
        }
    }

    /// Global sizes, or a rank's share of them. `None` when one of them is not known.
    fn shape(
        &mut self,
        shape: &[Expr],
        split: Option<usize>,
        class: &str,
        scope: &Scope<'_>,
        place: &Place,
    ) -> Result<Option<Vec<u64>>, ConfigError> {
        let mut sizes = match self.mode {
            Mode::Local => Vec::new(),
            Mode::Global => place.axes.clone(),
        };
        let mut known = true;
        for (axis, expr) in shape.iter().enumerate() {
            let mut size = match size(expr, class, scope)? {
                Ok(size) => size,
                Err(unknown) => {
                    self.note_shape(unknown);
                    known = false;
                    continue;
                }
            };
            if self.mode == Mode::Local && split == Some(axis) {
                let parts = scope.get("tp").clone();
                let Some(parts_count) = parts.int().and_then(|i| u64::try_from(i).ok()).filter(|p| *p > 0) else {
                    self.note_shape(parts);
                    known = false;
                    continue;
                };
                if size % parts_count != 0 {
                    let message = format!("{size} is not divisible by {parts_count}");
                    return Err(wrong(class, ExprError { message, text: format!("{expr} / tp") }));
                }
                size /= parts_count;
            }
            sizes.push(size);
        }
        Ok(known.then_some(sizes))
    }

    fn join(
        &mut self,
        place: &Place,
        local: &Template,
        global: &Template,
        class: &str,
        scope: &Scope<'_>,
    ) -> Result<Option<String>, ConfigError> {
        let template = match self.mode {
            Mode::Local => local,
            Mode::Global => global,
        };
        let name = match template.fill(scope).map_err(|e| wrong(class, e))? {
            Ok(name) => name.replace(&format!(".{STACKED}"), "").replace(STACKED, ""),
            Err(unknown) => {
                self.note(Value::Unknown(unknown));
                return Ok(None);
            }
        };
        Ok(Some(match place.path.strip_suffix('*') {
            Some(prefix) => format!("{prefix}{name}"),
            None if place.path.is_empty() => name,
            None if name.is_empty() => place.path.clone(),
            None => format!("{}.{name}", place.path),
        }))
    }
}

fn note(unknowns: &mut Vec<Arc<Unknown>>, value: Value) {
    if let Value::Unknown(unknown) = value
        && !unknowns.contains(&unknown)
    {
        unknowns.push(unknown);
    }
}

/// A size, or the unknown value that decides it.
fn size(expr: &Expr, class: &str, scope: &Scope<'_>) -> Result<Result<u64, Value>, ConfigError> {
    let value = expr.eval(scope).map_err(|e| wrong(class, e))?;
    let fault = |message: String| wrong(class, ExprError { message, text: expr.to_string() });
    match value.int() {
        Some(size) => u64::try_from(size).map(Ok).map_err(|_| fault(format!("{size} is not a size"))),
        None if matches!(value, Value::Unknown(_)) => Ok(Err(value)),
        None => Err(fault(format!("`{value}` is not a size"))),
    }
}

/// Stands in a path for an index that is stacked; cut out afterwards.
const STACKED: &str = "\u{0}";

/// The grid of an object's shards: the stacked axes, or a single one.
fn grid(axes: &[u64]) -> Vec<u64> {
    if axes.is_empty() { vec![1] } else { axes.to_vec() }
}

fn wrong(class: &str, error: ExprError) -> ConfigError {
    ConfigError::Expression { rule: format!("the module {class}"), error }
}
