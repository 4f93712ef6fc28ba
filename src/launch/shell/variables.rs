//! Reading and setting variables as bash does, with attributes, arrays and the variables that bash itself keeps.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::ast::{Assigned, Assignment, Word};
use super::holes::Hole;
use super::machine::{Machine, Run};
use super::state::{Field, Value, Variable};
use super::text::Text;
use crate::text::Span;

/// A scalar: its text, or that it is not set, with the hole for one that nobody sets.
pub type Scalar = Result<Text, Option<Hole>>;

impl Machine<'_> {
    /// The value of a variable that bash computes.
    fn computed(&mut self, name: &str, span: Option<&Span>) -> Option<Value> {
        let chance = "changes from run to run";
        Some(match name {
            "RANDOM" | "SRANDOM" | "SECONDS" | "EPOCHSECONDS" | "EPOCHREALTIME" | "BASHPID" | "PPID" => {
                let hole = self.hole(format!("${name}"), format!("`${name}` {chance}"), span.cloned());
                Value::Scalar(self.unknown_text(hole, span.cloned()))
            }
            "_" if self.state.get("_").is_none() => {
                let reason = "`$_` is the last word of the command before, which is not known";
                let hole = self.hole("$_", reason, span.cloned());
                Value::Scalar(self.unknown_text(hole, span.cloned()))
            }
            "LINENO" => {
                let line = span.or(self.here.as_ref()).map_or(0, |span| span.line_column().0);
                Value::Scalar(Text::made(line.to_string()))
            }
            "BASH_COMMAND" => {
                Value::Scalar(self.command.as_ref().map_or_else(Text::default, |(unit, at)| unit.slice(*at)))
            }
            "PWD" => Value::Scalar(self.state.directory.clone()),
            "BASH_SOURCE" => {
                let files = self.running.iter().rev().map(|running| Field::one(running.file.clone()));
                Value::Indexed((0i64..).zip(files).collect())
            }
            "FUNCNAME" => {
                let names = self.running.iter().rev().filter(|r| !r.function.is_empty());
                let fields = names.map(|running| Field::one(Text::made(running.function.clone())));
                let fields: BTreeMap<i64, Field> = (0i64..).zip(fields).collect();
                if fields.is_empty() { Value::Unset } else { Value::Indexed(fields) }
            }
            "PIPESTATUS" => {
                let all = self.state.pipeline.clone();
                let fields = all.into_iter().map(|status| Field::one(self.status_text(status)));
                Value::Indexed((0i64..).zip(fields.collect::<Vec<_>>()).collect())
            }
            "BASH_REMATCH" => {
                let fields = self.state.matched.iter().map(|text| Field::one(text.clone()));
                Value::Indexed((0i64..).zip(fields).collect())
            }
            _ => return None,
        })
    }

    /// A status as text.
    pub fn status_text(&self, status: Result<i32, Hole>) -> Text {
        match status {
            Ok(code) => Text::made(code.to_string()),
            Err(hole) => self.unknown_text(hole, None),
        }
    }

    /// The value of a variable, or that it is not set.
    pub fn value(&mut self, name: &str, span: Option<&Span>) -> Result<Value, Option<Hole>> {
        let name = self.state.resolve(name);
        if let Some(value) = self.computed(&name, span) {
            return if value == Value::Unset { Err(None) } else { Ok(value) };
        }
        match self.state.get(&name).map(|variable| variable.value.clone()) {
            Some(Value::Unset) => Err(None),
            Some(value) => Ok(value),
            None => Err(self.missing(&name, span)),
        }
    }

    /// What stands for a variable that is not set: nothing, where its absence is known.
    fn missing(&mut self, name: &str, span: Option<&Span>) -> Option<Hole> {
        let machine = matches!(name, "UID" | "EUID" | "HOSTNAME" | "HOSTTYPE" | "MACHTYPE" | "BASH_VERSION" | "SHLVL");
        if machine {
            let reason = format!("`${name}` depends on the machine; give it with --env {name}=...");
            return Some(self.hole(format!("${name}"), reason, span.cloned()));
        }
        if self.complete || self.assigned.contains(name) { None } else { Some(self.unset_hole(name, span.cloned())) }
    }

    /// A variable as one text: of an array its element 0.
    pub fn scalar(&mut self, name: &str, span: Option<&Span>) -> Scalar {
        match self.value(name, span)? {
            Value::Scalar(text) => Ok(text),
            Value::Indexed(items) => items.get(&0).map(|field| field.text.clone()).ok_or(None),
            Value::Associative(items) => {
                items.iter().find(|(key, _)| key == "0").map(|(_, field)| field.text.clone()).ok_or(None)
            }
            Value::Unset => Err(None),
        }
    }

    /// All elements of a variable, with their keys; `None` where it is not set.
    pub fn elements(&mut self, name: &str, span: Option<&Span>) -> Result<Vec<(String, Field)>, Option<Hole>> {
        Ok(match self.value(name, span)? {
            Value::Unset => Vec::new(),
            Value::Scalar(text) => vec![("0".to_owned(), Field::one(text))],
            Value::Indexed(items) => items.into_iter().map(|(key, field)| (key.to_string(), field)).collect(),
            Value::Associative(mut items) => {
                // Bash walks its hash table: by bucket, and in a bucket the newest first.
                items.reverse();
                items.sort_by_key(|(key, _)| bucket(key));
                items
            }
        })
    }

    /// One element of an array.
    pub fn element(&mut self, name: &str, index: &Word, span: Option<&Span>) -> Run<Scalar> {
        let value = match self.value(name, span) {
            Ok(value) => value,
            Err(hole) => return Ok(Err(hole)),
        };
        if let Value::Associative(items) = value {
            let key = self.one_text(index)?;
            if let Some(hole) = Hole::in_text(key.as_str()) {
                return Ok(Ok(self.unknown_text(hole, span.cloned())));
            }
            let found = items.into_iter().find(|(name, _)| name == key.as_str());
            return Ok(found.map(|(_, field)| field.text).ok_or(None));
        }
        let number = match self.arithmetic(index)? {
            Ok(number) => number,
            Err(hole) => return Ok(Ok(self.unknown_text(hole, span.cloned()))),
        };
        Ok(match value {
            Value::Scalar(text) if matches!(number, 0 | -1) => Ok(text),
            Value::Indexed(items) => {
                let before = items.range(..if number < 0 { i64::MAX } else { number }).find(|(_, field)| field.open);
                if let Some(hole) = before.and_then(|(_, field)| Hole::in_text(field.text.as_str())) {
                    return Ok(Ok(self.unknown_text(hole, span.cloned())));
                }
                let last = items.keys().next_back().copied().unwrap_or(-1);
                let at = if number < 0 { last + 1 + number } else { number };
                items.get(&at).map(|field| field.text.clone()).ok_or(None)
            }
            _ => Err(None),
        })
    }

    /// Applies the attributes of a variable to a new value.
    fn attributed(&mut self, variable: &Variable, text: Text) -> Run<Text> {
        if variable.integer {
            return Ok(match self.evaluate(text.as_str())? {
                Ok(number) => text.becomes(number.to_string()),
                Err(hole) => text.becomes(hole.character().to_string()),
            });
        }
        Ok(match variable.case {
            Some(true) => text.becomes(text.as_str().to_uppercase()),
            Some(false) => text.becomes(text.as_str().to_lowercase()),
            None => text,
        })
    }

    /// The variable to change; `None` with a remark where it is read-only.
    fn changeable(&mut self, name: &str) -> Option<Variable> {
        let variable = self.state.get(name).map_or_else(|| Variable::new(Value::Unset), |v| (**v).clone());
        if variable.readonly {
            self.remark(format!("`{name}` is read-only and keeps its value"), None);
            self.refused = true;
            return None;
        }
        Some(variable)
    }

    fn store(&mut self, name: String, mut variable: Variable, value: Value) {
        variable.value = value;
        variable.ours = true;
        variable.exported |= self.state.flags.allexport;
        self.state.variables.insert(name, Rc::new(variable));
    }

    /// `NAME=TEXT`, or `NAME+=TEXT`.
    pub fn set(&mut self, name: &str, text: Text, append: bool) -> Run {
        self.step(text.len())?;
        let name = self.state.resolve(name);
        if let Some((array, index)) = name.strip_suffix(']').and_then(|name| name.split_once('[')) {
            let index = index.to_owned();
            let array = array.to_owned();
            return self.set_key(&array, &index, text, append);
        }
        let Some(variable) = self.changeable(&name) else { return Ok(()) };
        let joined = |machine: &mut Self, old: Option<Text>, new: Text| -> Run<Text> {
            if !append {
                return machine.attributed(&variable, new);
            }
            let mut all = old.unwrap_or_default();
            if variable.integer {
                all.push_str("+(");
                all.push(&new);
                all.push_str(")");
            } else {
                all.push(&new);
            }
            machine.attributed(&variable, all)
        };
        let value = match variable.value.clone() {
            Value::Indexed(mut items) => {
                let old = items.get(&0).map(|field| field.text.clone());
                items.insert(0, Field::one(joined(self, old, text)?));
                Value::Indexed(items)
            }
            Value::Scalar(old) => Value::Scalar(joined(self, Some(old), text)?),
            Value::Associative(items) => {
                self.store(name.clone(), variable.clone(), Value::Associative(items));
                return self.set_key(&name, "0", text, append);
            }
            Value::Unset => {
                let old = if append { self.inherited(&name) } else { None };
                Value::Scalar(joined(self, old, text)?)
            }
        };
        let value = self.bounded(&name, value);
        self.store(name, variable, value);
        Ok(())
    }

    /// What `NAME+=` adds to where the script did not set it.
    fn inherited(&mut self, name: &str) -> Option<Text> {
        let place = self.here.clone();
        let hole = if self.state.get(name).is_some() { None } else { self.missing(name, place.as_ref()) };
        hole.map(|hole| self.unknown_text(hole, place))
    }

    /// A value that grew beyond the limit is unknown from then on.
    fn bounded(&mut self, name: &str, value: Value) -> Value {
        match value {
            Value::Scalar(text) if text.len() > self.limits.value => {
                let hole = self.hole(format!("${name}"), format!("`${name}` grows larger than is followed"), None);
                Value::Scalar(self.unknown_text(hole, None))
            }
            other => other,
        }
    }

    /// Sets one element of an array whose index is known as text.
    pub fn set_key(&mut self, name: &str, index: &str, text: Text, append: bool) -> Run {
        let name = self.state.resolve(name);
        let Some(variable) = self.changeable(&name) else { return Ok(()) };
        let value = match variable.value.clone() {
            Value::Associative(mut items) => {
                let key = index.to_owned();
                let old = items.iter().position(|(k, _)| *k == key);
                let mut new = old.filter(|_| append).map(|i| items[i].1.text.clone()).unwrap_or_default();
                new.push(&text);
                let new = self.attributed(&variable, new)?;
                match old {
                    Some(i) => items[i].1 = Field::one(new),
                    None => items.push((key, Field::one(new))),
                }
                Value::Associative(items)
            }
            other => {
                let mut items = match other {
                    Value::Indexed(items) => items,
                    Value::Scalar(text) => BTreeMap::from([(0, Field::one(text))]),
                    _ => BTreeMap::new(),
                };
                let number = match self.evaluate(index)? {
                    Ok(number) => number,
                    Err(hole) => {
                        // Any element may be the one: the array is unknown from here on.
                        items.clear();
                        items.insert(0, Field { text: self.unknown_text(hole, None), open: true });
                        self.store(name, variable, Value::Indexed(items));
                        return Ok(());
                    }
                };
                let last = items.keys().next_back().copied().unwrap_or(-1);
                let at = if number < 0 { last + 1 + number } else { number };
                if at < 0 {
                    self.remark(format!("`{name}[{index}]` is before the array's start"), None);
                    return Ok(());
                }
                let mut new = items.get(&at).filter(|_| append).map(|field| field.text.clone()).unwrap_or_default();
                if append && variable.integer {
                    new.push_str("+");
                }
                new.push(&text);
                items.insert(at, Field::one(self.attributed(&variable, new)?));
                Value::Indexed(items)
            }
        };
        self.store(name, variable, value);
        Ok(())
    }

    /// Sets a whole array.
    pub fn set_array(&mut self, name: &str, fields: Vec<Field>) -> Run {
        let name = self.state.resolve(name);
        self.step(fields.len())?;
        let Some(variable) = self.changeable(&name) else { return Ok(()) };
        self.store(name, variable, Value::Indexed((0i64..).zip(fields).collect()));
        Ok(())
    }

    /// Carries out an assignment.
    pub fn assign(&mut self, assignment: &Assignment) -> Run {
        match &assignment.value {
            Assigned::Scalar(word) => {
                let text = self.one_text(word)?;
                match &assignment.index {
                    None => self.set(&assignment.name, text, assignment.append),
                    Some(index) => {
                        let index = self.one_text(index)?.as_str().to_owned();
                        self.set_key(&assignment.name, &index, text, assignment.append)
                    }
                }
            }
            Assigned::Array(elements) => self.assign_array(assignment, elements),
        }
    }

    fn assign_array(&mut self, assignment: &Assignment, elements: &[(Option<Word>, bool, Word)]) -> Run {
        let name = self.state.resolve(&assignment.name);
        // The elements are expanded before the array is emptied: `A=(x "${A[@]}")`.
        let mut new: Vec<(Option<Text>, bool, Field)> = Vec::new();
        for (index, append, word) in elements {
            match index {
                Some(index) => {
                    let key = self.one_text(index)?;
                    new.push((Some(key), *append, Field::one(self.one_text(word)?)));
                }
                None => new.extend(self.fields(word)?.into_iter().map(|field| (None, false, field))),
            }
        }
        self.step(new.len())?;
        let Some(variable) = self.changeable(&name) else { return Ok(()) };
        let associative = matches!(variable.value, Value::Associative(_));
        let old = match (assignment.append, variable.value.clone()) {
            (true, Value::Scalar(text)) => Value::Indexed(BTreeMap::from([(0, Field::one(text))])),
            (true, value @ (Value::Indexed(_) | Value::Associative(_))) => value,
            _ if associative => Value::Associative(Vec::new()),
            _ => Value::Indexed(BTreeMap::new()),
        };
        if associative {
            self.store(name.clone(), variable, old);
            let mut pending_key: Option<Text> = None;
            for (key, append, field) in new {
                match (key, pending_key.take()) {
                    (Some(key), _) => self.set_key(&name, key.as_str(), field.text, append)?,
                    (None, None) => pending_key = Some(field.text),
                    (None, Some(key)) => self.set_key(&name, key.as_str(), field.text, false)?,
                }
            }
            return Ok(());
        }
        let mut items = if let Value::Indexed(items) = old { items } else { BTreeMap::new() };
        let mut next = items.keys().next_back().map_or(0, |last| last + 1);
        for (key, append, mut field) in new {
            if let Some(key) = key {
                match self.evaluate(key.as_str())? {
                    Ok(number) if number >= 0 => next = number,
                    Ok(_) => continue,
                    Err(hole) => field = Field { text: self.unknown_text(hole, None), open: true },
                }
            }
            if append && let Some(old) = items.get(&next) {
                let mut text = old.text.clone();
                text.push(&field.text);
                field.text = text;
            }
            field.text = self.attributed(&variable, field.text)?;
            items.insert(next, field);
            next = next.saturating_add(1);
        }
        self.store(name, variable, Value::Indexed(items));
        Ok(())
    }

    /// `unset NAME`, `unset 'NAME[INDEX]'`.
    pub fn unset(&mut self, name: &str) -> Run {
        if let Some((array, index)) = name.strip_suffix(']').and_then(|name| name.split_once('[')) {
            let array = self.state.resolve(array);
            let Some(mut variable) = self.state.get(&array).map(|v| (**v).clone()) else { return Ok(()) };
            match &mut variable.value {
                Value::Associative(items) => items.retain(|(key, _)| key != index),
                Value::Indexed(items) => {
                    if let Ok(number) = self.evaluate(index)? {
                        let last = items.keys().next_back().copied().unwrap_or(-1);
                        items.remove(&if number < 0 { last + 1 + number } else { number });
                    }
                }
                _ => {}
            }
            self.state.variables.insert(array, Rc::new(variable));
            return Ok(());
        }
        let name = self.state.resolve(name);
        if self.changeable(&name).is_some() {
            self.state.variables.remove(&name);
            // From here on its absence is known.
            self.assigned.insert(name);
        }
        Ok(())
    }
}

/// The bucket of bash's hash table for associative arrays.
fn bucket(key: &str) -> u32 {
    let hash = key.bytes().fold(2_166_136_261_u32, |hash, byte| hash.wrapping_mul(16_777_619) ^ u32::from(byte));
    hash & 1023
}
