//! The types of `[types]`, version by version.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::FlagError;
use super::action::{Form, ValueType};
use super::statement::{File, FormName, TypeRule};
use crate::rules::version::Version;

/// The types by the name that flags use.
pub(super) type Types = BTreeMap<String, Vec<(Option<Version>, Arc<ValueType>)>>;

/// Python's own types, and those of the files.
pub(super) fn read(files: &[File]) -> Result<Types, FlagError> {
    let own = [("str", Form::Text), ("int", Form::Int), ("float", Form::Float), ("bool", Form::Truth)];
    let plain = |(name, form): (&str, Form)| {
        (name.to_owned(), vec![(None, Arc::new(ValueType { name: Arc::from(name), form }))])
    };
    let mut found: Types = own.into_iter().map(plain).collect();
    for file in files {
        for (name, rule) in &file.rules.types {
            let bad = |reason: &str| file.error(name, reason);
            let mut now = rule.clone();
            let mut steps = vec![(None, Arc::new(value_type(name, &now).map_err(bad)?))];
            for (version, change) in &rule.changes {
                now = now.changed(change);
                steps.push((Some(version.clone()), Arc::new(value_type(name, &now).map_err(bad)?)));
            }
            if found.insert(name.clone(), steps).is_some() {
                return Err(file.error(name, "this type is described twice"));
            }
        }
    }
    Ok(found)
}

fn value_type(id: &str, rule: &TypeRule) -> Result<ValueType, &'static str> {
    let names = |list: &Option<Vec<String>>| list.iter().flatten().map(|name| Arc::from(&**name)).collect::<Vec<_>>();
    let (members, words) = (names(&rule.members), names(&rule.words));
    let form = match rule.form.ok_or("`form` is missing")? {
        FormName::Member | FormName::MemberOrWord if members.is_empty() => return Err("`members` is missing"),
        FormName::MemberOrWord if words.is_empty() => return Err("`words` is missing"),
        FormName::Member if !words.is_empty() => return Err("`words` needs the form \"member_or_word\""),
        FormName::Member | FormName::MemberOrWord => Form::Member { members, words },
        FormName::Number => Form::Number(rule.numbers.clone().ok_or("`numbers` is missing")?),
        FormName::IntOrList => Form::IntOrList { alphabet: rule.alphabet.clone() },
        FormName::Ints => Form::Ints,
    };
    Ok(ValueType { name: Arc::from(rule.name.as_deref().unwrap_or(id)), form })
}
