//! A launch's arguments from a file of settings, in place of the command line.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Arguments, ConfigError, Rejection};
use crate::launch::argparse::Given;
use crate::launch::yaml::{self, Node};
use crate::rules::arguments_file::{ArgumentsFile, Need};
use crate::rules::expr::Scope;
use crate::rules::flags::{Action, ActionKind, Form, Nargs, Parser};
use crate::rules::value::{Unknown, Value};

/// A setting of the file.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The section that it stands in; `""` is the top.
    pub section: String,
    /// Its name.
    pub key: Arc<Node>,
    /// Its value as it is written.
    pub node: Arc<Node>,
    /// Its value.
    pub value: Value,
}

/// The settings of a file in its order. `resolve` puts variables into a text.
pub fn settings(rules: &ArgumentsFile, root: &Arc<Node>, resolve: &dyn Fn(&Node) -> Value) -> Vec<Setting> {
    let mut all = Vec::new();
    let mut add = |section: &str, key: &Arc<Node>, node: &Arc<Node>| {
        let (section, key, node) = (section.to_owned(), Arc::clone(key), Arc::clone(node));
        let value = value(&node, resolve);
        all.push(Setting { section, key, node, value });
    };
    for (key, node) in root.entries() {
        if rules.sections.contains(&key.text) && matches!(node.value, yaml::Value::Map(_)) {
            node.entries().iter().for_each(|(inner, node)| add(&key.text, inner, node));
        } else {
            add("", key, node);
        }
    }
    all
}

/// Takes a file's settings in place of all arguments that the command line gives.
///
/// # Errors
/// When an expression of a rule cannot be computed.
pub fn take(
    rules: &ArgumentsFile,
    parser: &Parser,
    settings: &[Setting],
    arguments: &mut Arguments,
) -> Result<(), ConfigError> {
    let defaults = parser.defaults();
    for action in &parser.actions {
        let kept = rules.optional.iter().chain(&rules.unread).any(|name| **name == *action.dest);
        let value = match defaults.get(&*action.dest) {
            Some(default) if kept => default.clone(),
            _ if *action.dest == rules.argument => continue,
            _ => Value::unknown(
                format!("`{}`", action.dest),
                "it is not set in the file, and has no default there",
                Vec::new(),
            ),
        };
        arguments.values.set(Arc::clone(&action.dest), value);
    }
    arguments.given.clear();
    // Of several actions that set a dest the first counts.
    let actions: HashMap<&str, &Action> =
        parser.actions.iter().rev().map(|action| (&*action.dest, &**action)).collect();
    let asked: HashSet<&str> = rules.needs.iter().flat_map(|need| &need.names).map(String::as_str).collect();
    let own = settings.iter().map(|one| (&one.key.text, one)).filter(|(name, _)| !rules.unread.contains(name));
    // The framework copies these last.
    let copied = settings
        .iter()
        .flat_map(|one| rules.named.iter().filter(|(_, key)| **key == one.key.text).map(move |(dest, _)| (dest, one)));
    for (dest, one) in own.chain(copied) {
        let action = actions.get(dest.as_str()).copied();
        if action.is_none() && !asked.contains(&*one.key.text) {
            // Nothing of this version reads it.
            continue;
        }
        let value = match action.and_then(|action| misfit(action, one)) {
            None => one.value.clone(),
            Some(unknown) => {
                arguments.open.push(Arc::clone(&unknown));
                Value::Unknown(unknown)
            }
        };
        arguments.values.set(dest.as_str(), value);
        let option = action.and_then(|action| action.options.first());
        let option = option.map_or_else(|| one.key.text.clone(), ToString::to_string);
        let places = vec![one.key.span.clone(), one.node.span.clone()];
        arguments.given.insert(dest.clone(), Given { option, places });
    }
    arguments.rejected = match twice(rules, settings) {
        Some(rejection) => Some(rejection),
        None => missing(rules, settings, &arguments.values)?,
    };
    Ok(())
}

/// The first setting that stands in two sections: they become one namespace.
fn twice(rules: &ArgumentsFile, settings: &[Setting]) -> Option<Rejection> {
    let added = |one: &Setting| {
        let elsewhere = rules.adds.iter().filter(|(section, _)| **section != one.section);
        elsewhere.flat_map(|(_, names)| names).any(|name| *name == one.key.text)
    };
    let mut seen: HashMap<&str, &Setting> = HashMap::new();
    let found = settings.iter().find_map(|one| {
        let first = seen.insert(&one.key.text, one);
        (first.is_some() || added(one)).then_some((first, one))
    });
    let (first, second) = found?;
    let mut scope = Scope::default();
    scope.set("name", Value::str(&second.key.text));
    let places = [Some(second), first].into_iter().flatten().map(|one| one.key.span.clone()).collect();
    Some(Rejection { by: rules.checked_by.clone(), message: rules.twice.show(&scope), flags: Vec::new(), places })
}

/// What the framework says of the first setting that it cannot do without, and all that lack.
fn missing(rules: &ArgumentsFile, settings: &[Setting], values: &Scope<'_>) -> Result<Option<Rejection>, ConfigError> {
    let there: HashSet<(&str, &str)> = settings.iter().map(|one| (&*one.section, &*one.key.text)).collect();
    let sections: HashSet<&str> = settings.iter().map(|one| &*one.section).collect();
    let has = |need: &Need, name: &str| {
        sections.contains(name) || need.within.iter().any(|section| there.contains(&(&**section, name)))
    };
    let mut lacking: Vec<(&Need, &String)> = Vec::new();
    for need in &rules.needs {
        let asked = match &need.when {
            None => Value::Bool(true),
            Some(when) => when.eval(values).map_err(|error| {
                let rule = "a setting that the file needs".to_owned();
                ConfigError::Expression { rule, error }
            })?,
        };
        // Where the condition itself depends on a missing setting, that one is told.
        if asked.truth() == Some(true) {
            lacking.extend(need.names.iter().filter(|name| !has(need, name)).map(|name| (&**need, name)));
        }
    }
    let Some((need, first)) = lacking.first() else { return Ok(None) };
    let mut scope = Scope::default();
    scope.set("name", Value::str(first));
    let mut message = need.message.show(&scope);
    let mut names: Vec<String> = Vec::new();
    for (need, name) in &lacking {
        let section = need.within.first().filter(|section| !section.is_empty() && need.within.len() == 1);
        let path = section.map_or_else(|| (*name).clone(), |section| format!("{section}.{name}"));
        if !names.iter().any(|known| known.rsplit('.').next() == Some(name)) {
            names.push(path);
        }
    }
    if names.len() > 1 {
        let more = names.len().saturating_sub(SHOWN);
        let shown = names[..names.len().min(SHOWN)].join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        message = format!("{message}; the file lacks {shown}{more}");
    }
    Ok(Some(Rejection { by: rules.checked_by.clone(), message, flags: Vec::new(), places: Vec::new() }))
}

/// Missing settings that are named; the others are counted.
const SHOWN: usize = 12;

/// A node's value, as `json.loads(json.dumps(...))` leaves it.
fn value(node: &Node, resolve: &dyn Fn(&Node) -> Value) -> Value {
    match &node.value {
        yaml::Value::Null => Value::None,
        yaml::Value::Bool(truth) => Value::Bool(*truth),
        yaml::Value::Int(Some(number)) => Value::Int(*number),
        yaml::Value::Float(number) => Value::Float(*number),
        yaml::Value::Str => resolve(node),
        yaml::Value::List(items) => Value::List(items.iter().map(|item| value(item, resolve)).collect()),
        yaml::Value::Int(None) | yaml::Value::Time | yaml::Value::Binary | yaml::Value::Map(_) => {
            Value::unknown(format!("`{}`", node.span.text()), "it is no value of an argument", vec![node.span.clone()])
        }
    }
}

/// A setting whose value is of another kind than the command line would give: what Python makes of it is not told.
fn misfit(action: &Action, one: &Setting) -> Option<Arc<Unknown>> {
    let integer = |value: &Value| matches!(value, Value::Int(_) | Value::Bool(_));
    let float = |value: &Value| integer(value) || matches!(value, Value::Float(_));
    let text = |value: &Value| matches!(value, Value::Str(_));
    let form = action.value_type.as_ref().map(|value_type| &value_type.form);
    let (fits, wanted) = match (&one.value, action.kind, action.nargs) {
        (Value::None | Value::Unknown(_), ..) => return None,
        (value, ActionKind::Store, Nargs::One | Nargs::Optional) => match form {
            Some(Form::Int) => (integer(value), "a whole number"),
            Some(Form::Float) => (float(value), "a number"),
            None | Some(Form::Text | Form::Member { .. }) => (text(value), "a text"),
            Some(Form::Truth | Form::Number(_) | Form::IntOrList { .. } | Form::Ints) => return None,
        },
        (value, ActionKind::Store | ActionKind::Append, _) => {
            (matches!(value, Value::List(_)) || text(value), "a list")
        }
        (value, ..) => (integer(value), "true or false"),
    };
    let is = match &one.value {
        Value::Bool(_) => "true or false",
        Value::Int(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Str(_) => "a text",
        _ => "a list",
    };
    let name = format!("`{}: {}`", one.key.text, one.node.span.text());
    let reason = format!("to PyYAML this is {is}, where {wanted} belongs");
    (!fits).then(|| Arc::new(Unknown { name, reason, places: vec![one.node.span.clone()] }))
}
