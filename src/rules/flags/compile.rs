//! From what rule files say to the actions of each version.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::FlagError;
use super::action::{Action, ActionKind, Form, Nargs};
use super::statement::{File, Key, Statement};
use super::types::Types;
use crate::rules::value::Value;
use crate::rules::version::Version;

/// One flag through all versions.
#[derive(Debug)]
pub(super) struct Variants {
    file: String,
    entry: String,
    until: Option<Version>,
    /// What it is from some version on, oldest first; `None` for "from the beginning".
    steps: Vec<(Option<Version>, Arc<Action>)>,
}

impl Variants {
    /// What it is in that version, if it exists there.
    pub fn at(&self, version: &Version) -> Option<&Arc<Action>> {
        if self.until.as_ref().is_some_and(|until| version >= until) {
            return None;
        }
        let begun = |from: &Option<Version>| from.as_ref().is_none_or(|from| version >= from);
        self.steps.iter().rev().find(|(from, _)| begun(from)).map(|(_, action)| action)
    }

    /// What it is in the newest version that has it.
    pub fn newest(&self) -> Option<&Arc<Action>> {
        self.steps.last().map(|(_, action)| action)
    }

    /// What it is in any version.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.steps.iter().map(|(_, action)| &**action)
    }

    /// First version with an option string of this flag, and the first one without it again.
    pub fn lifetime_of(&self, option: &str) -> (Option<Version>, Option<Version>) {
        let has = |(_, action): &(_, Arc<Action>)| action.options.iter().any(|o| **o == *option);
        let first = self.steps.iter().position(has).unwrap_or(0);
        let gone = self.steps[first..].iter().find(|step| !has(step)).and_then(|(from, _)| from.clone());
        (self.steps[first].0.clone(), gone.or_else(|| self.until.clone()))
    }
}

/// A flag that is written as such.
pub(super) fn flag(file: &File, name: &str, statement: &Statement, types: &Types) -> Result<Variants, FlagError> {
    if !name.starts_with('-') {
        return Err(file.error(name, "a flag begins with `-`; is this a field?"));
    }
    variants(file, name, statement, types, |now| Ok((vec![name.to_owned()], now.clone())))
}

/// A flag that is made from a field of a dataclass, as `ArgumentGroupFactory` does it.
pub(super) fn field(file: &File, name: &str, statement: &Statement, types: &Types) -> Result<Variants, FlagError> {
    variants(file, name, statement, types, |now| {
        let kebab = name.replace('_', "-");
        let mut now = now.clone();
        if now.action.is_some() || now.also.is_some() || now.dest.is_some() || now.nargs.is_some() {
            return Err("a field says only its type, default and choices".to_owned());
        }
        now.dest = Some(name.to_owned());
        let Some(value_type) = now.value_type.take() else { return Err("`type` is missing".to_owned()) };
        let mut options = vec![format!("--{kebab}")];
        if value_type == "bool" {
            let on = now.default.take().is_some_and(|default| default == toml::Value::Boolean(true));
            now.action = Some(if on { ActionKind::StoreFalse } else { ActionKind::StoreTrue });
            if on {
                options = vec![format!("--no-{kebab}"), format!("--disable-{kebab}")];
            }
        } else if let Some(item) = value_type.strip_prefix("list[").and_then(|rest| rest.strip_suffix(']')) {
            now.value_type = Some(item.to_owned());
            now.nargs = Some(Nargs::Some);
        } else {
            now.value_type = Some(value_type);
        }
        Ok((options, now))
    })
}

/// Resolves an entry for every version in which something about it changes.
fn variants(
    file: &File,
    name: &str,
    statement: &Statement,
    types: &Types,
    written: impl Fn(&Statement) -> Result<(Vec<String>, Statement), String>,
) -> Result<Variants, FlagError> {
    let bad = |reason: String| file.error(name, reason);
    let inside = |version: &Version| {
        statement.since.as_ref().is_none_or(|since| version > since)
            && statement.until.as_ref().is_none_or(|until| version < until)
    };
    if let Some((version, _)) = statement.changes.iter().find(|(version, _)| !inside(version)) {
        return Err(bad(format!("the change in {version} is outside of `since` and `until`")));
    }
    if statement.since.is_some() && statement.since >= statement.until && statement.until.is_some() {
        return Err(bad("`until` is not after `since`".to_owned()));
    }
    let mut breaks: BTreeSet<Version> = statement.changes.keys().cloned().collect();
    let mut now = statement.clone();
    for statement in std::iter::once(statement).chain(statement.changes.values()) {
        breaks.extend(statement.choices.iter().flatten().flat_map(choice_breaks));
        if let Some(steps) = statement.value_type.as_ref().and_then(|name| types.get(name)) {
            breaks.extend(steps.iter().filter_map(|(from, _)| from.clone()));
        }
    }
    breaks.retain(inside);
    let action = |now: &Statement, version: Option<&Version>| {
        let (options, now) = written(now)?;
        action(options, &now, types, version)
    };
    let since = statement.since.clone();
    let mut steps = vec![(since.clone(), Arc::new(action(&now, since.as_ref()).map_err(bad)?))];
    for version in breaks {
        if let Some(change) = statement.changes.get(&version) {
            if change.since.is_some() || change.until.is_some() || !change.changes.is_empty() {
                return Err(bad("a change has no versions of its own".to_owned()));
            }
            now = now.changed(change);
        }
        let action = Arc::new(action(&now, Some(&version)).map_err(bad)?);
        steps.push((Some(version), action));
    }
    Ok(Variants { file: file.path.clone(), entry: name.to_owned(), until: statement.until.clone(), steps })
}

/// One action, with what argparse infers.
fn action(
    mut options: Vec<String>,
    now: &Statement,
    types: &Types,
    version: Option<&Version>,
) -> Result<Action, String> {
    let kind = now.action.unwrap_or_default();
    let named = options.iter().find(|o| o.starts_with("--")).unwrap_or(&options[0]);
    let dest = now.dest.clone().unwrap_or_else(|| named.trim_start_matches('-').replace('-', "_"));
    options.extend(now.also.iter().flatten().cloned());
    if kind == ActionKind::BooleanOptional {
        let both = |o: String| [Some(o.clone()), o.strip_prefix("--").map(|name| format!("--no-{name}"))];
        options = options.into_iter().flat_map(both).flatten().collect();
    }
    let takes_words = matches!(kind, ActionKind::Store | ActionKind::Append);
    if !takes_words && now.nargs.is_some() {
        return Err("an action that takes no words has no `nargs`".to_owned());
    }
    let (constant, inferred) = match kind {
        ActionKind::StoreTrue => (Value::Bool(true), Value::Bool(false)),
        ActionKind::StoreFalse => (Value::Bool(false), Value::Bool(true)),
        _ => (now.constant.as_ref().map(value).transpose()?.unwrap_or(Value::None), Value::None),
    };
    let default = match &now.default {
        Some(default) => value(default)?,
        None if now.unset.contains(&Key::Default) => Value::None,
        None => inferred,
    };
    let value_type = match &now.value_type {
        None => None,
        Some(name) => {
            let steps = types.get(name).ok_or_else(|| format!("the type `{name}` is not described in [types]"))?;
            let begun = |from: &Option<Version>| from.as_ref().is_none_or(|f| version.is_some_and(|v| v >= f));
            steps.iter().rev().find(|(from, _)| begun(from)).map(|(_, value_type)| Arc::clone(value_type))
        }
    };
    let choices = match (&now.choices, value_type.as_deref().map(|t| &t.form)) {
        (Some(choices), _) => Some(choices_at(choices, version)?),
        (None, Some(Form::Member { members, words })) if words.is_empty() => {
            Some(members.iter().cloned().map(Value::Str).collect())
        }
        (None, Some(Form::Number(numbers))) => {
            Some(numbers.values().collect::<BTreeSet<_>>().into_iter().copied().map(Value::Int).collect())
        }
        _ => None,
    };
    Ok(Action {
        options: options.iter().map(|o| Arc::from(&**o)).collect(),
        dest: Arc::from(dest),
        kind,
        nargs: if takes_words { now.nargs.unwrap_or_default() } else { Nargs::Exactly(0) },
        constant,
        default,
        value_type,
        choices,
        required: now.required,
        shadowed: now.shadowed,
    })
}

/// The versions in which a choice comes or goes.
fn choice_breaks(choice: &toml::Value) -> impl Iterator<Item = Version> {
    let version = |key: &str| choice.as_table()?.get(key)?.as_str()?.parse().ok();
    [version("since"), version("until")].into_iter().flatten()
}

/// The choices of one version: plain values, and `{ value | none, since, until }` tables.
fn choices_at(choices: &[toml::Value], version: Option<&Version>) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    for choice in choices {
        let toml::Value::Table(table) = choice else {
            found.push(value(choice)?);
            continue;
        };
        if let Some(key) = table.keys().find(|key| !matches!(&***key, "value" | "none" | "since" | "until")) {
            return Err(format!("a choice has no `{key}`: expected `value`, `none`, `since`, `until`"));
        }
        let bound = |key: &str| -> Result<Option<Version>, String> {
            let Some(text) = table.get(key) else { return Ok(None) };
            let text = text.as_str().ok_or_else(|| format!("`{key}` of a choice is not text"))?;
            text.parse().map(Some).map_err(|error| format!("{error}"))
        };
        let begun = bound("since")?.is_none_or(|since| version.is_some_and(|v| *v >= since));
        let gone = bound("until")?.is_some_and(|until| version.is_some_and(|v| *v >= until));
        if begun && !gone {
            found.push(table.get("value").map_or(Ok(Value::None), value)?);
        }
    }
    Ok(found)
}

fn value(toml: &toml::Value) -> Result<Value, String> {
    Ok(match toml {
        toml::Value::String(s) => Value::str(s),
        toml::Value::Integer(i) => Value::Int(*i),
        toml::Value::Float(x) => Value::Float(*x),
        toml::Value::Boolean(b) => Value::Bool(*b),
        toml::Value::Array(items) => Value::List(items.iter().map(value).collect::<Result<_, _>>()?),
        other => return Err(format!("{other} is not a value of a flag")),
    })
}

/// Two flags that share an option string in some version would be an error of argparse, too.
pub(super) fn refuse_duplicates(flags: &[Variants]) -> Result<(), FlagError> {
    let mut seen: HashMap<&str, Vec<&Variants>> = HashMap::with_capacity(flags.len() + 64);
    for flag in flags {
        let options: BTreeSet<&str> = flag.actions().flat_map(|a| a.options.iter().map(|o| &**o)).collect();
        for option in options {
            let others = seen.entry(option).or_default();
            let (since, until) = flag.lifetime_of(option);
            let meets = |other: &&&Variants| {
                let (their_since, their_until) = other.lifetime_of(option);
                let before = |end: &Option<Version>, start: &Option<Version>| match (end, start) {
                    (Some(end), Some(start)) => end <= start,
                    _ => false,
                };
                !before(&until, &their_since) && !before(&their_until, &since)
            };
            if let Some(other) = others.iter().find(meets) {
                let reason = format!("`{option}` is also an option of `{}` in {}", other.entry, other.file);
                return Err(FlagError { file: flag.file.clone(), entry: Some(flag.entry.clone()), reason });
            }
            others.push(flag);
        }
    }
    Ok(())
}
