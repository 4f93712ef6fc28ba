//! The words that give a dest a value: argparse read backwards.

use super::{Action, ActionKind, Form, Nargs, Parser};
use crate::rules::value::Value;

impl Parser {
    /// The words that make a dest hold that value, none where it is the default; `None` where no option can.
    pub fn spell(&self, dest: &str, value: &Value) -> Option<Vec<String>> {
        let mut actions: Vec<&Action> = self.setting(dest).collect();
        actions.sort_by_key(|action| action.shadowed);
        let default = &actions.first()?.default;
        let off = |value: &Value| matches!(value, Value::None | Value::Bool(false));
        if value == default || off(value) && off(default) {
            return Some(Vec::new());
        }
        actions.into_iter().find_map(|action| spelled(action, value))
    }
}

/// One action's words for a value.
fn spelled(action: &Action, value: &Value) -> Option<Vec<String>> {
    let option = action.options.iter().find(|option| option.starts_with("--")).or(action.options.first())?;
    let alone = || Some(vec![option.to_string()]);
    match (action.kind, value) {
        (ActionKind::StoreTrue | ActionKind::BooleanOptional, Value::Bool(true)) => alone(),
        (ActionKind::StoreFalse, Value::Bool(false)) => alone(),
        (ActionKind::BooleanOptional, Value::Bool(false)) => {
            Some(vec![action.options.iter().find(|option| option.starts_with("--no-"))?.to_string()])
        }
        (ActionKind::StoreConst, value) if *value == action.constant => alone(),
        (ActionKind::Store, value) => {
            let values = match (action.nargs, value) {
                (Nargs::Any | Nargs::Some | Nargs::Exactly(_), Value::List(items)) => {
                    items.iter().map(|item| word(action, item)).collect::<Option<Vec<_>>>()?
                }
                (Nargs::One | Nargs::Optional, value) => vec![word(action, value)?],
                _ => return None,
            };
            Some(std::iter::once(option.to_string()).chain(values).collect())
        }
        _ => None,
    }
}

/// The word that an action turns into a value.
fn word(action: &Action, value: &Value) -> Option<String> {
    if action.choices.as_ref().is_some_and(|choices| !choices.contains(value)) {
        return None;
    }
    let form = action.value_type.as_ref().map(|value_type| &value_type.form);
    match (form, value) {
        (None | Some(Form::Text), Value::Str(text)) => (!text.starts_with('-')).then(|| text.to_string()),
        (Some(Form::Int | Form::IntOrList { .. }), Value::Int(number)) => Some(number.to_string()),
        (Some(Form::Float), Value::Int(number)) => Some(number.to_string()),
        (Some(Form::Float), Value::Float(number)) => Some(format!("{number:?}")),
        (Some(Form::Member { members, words }), Value::Str(text)) => {
            members.iter().chain(words).any(|known| known == text).then(|| text.to_string())
        }
        (Some(Form::Number(names)), Value::Int(number)) => {
            names.iter().find(|(_, of)| *of == number).map(|(name, _)| name.clone())
        }
        (Some(Form::IntOrList { .. }), Value::List(items)) => Some(format!("[{}]", joined(items)?)),
        (Some(Form::Ints), Value::List(items)) => joined(items),
        _ => None,
    }
}

fn joined(items: &[Value]) -> Option<String> {
    let numbers: Option<Vec<String>> = items.iter().map(|item| item.int().map(|n| n.to_string())).collect();
    Some(numbers?.join(","))
}
