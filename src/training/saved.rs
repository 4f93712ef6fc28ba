//! Taking arguments over from a checkpoint, before the framework's own steps.

use std::collections::BTreeMap;

use crate::rules::expr::{ExprError, Scope};
use crate::rules::saved::SavedArguments;
use crate::rules::value::Value;

/// Overwrites a launch's arguments with saved ones, as the rules say. `None`: what was saved is not known.
///
/// # Errors
/// When an expression of a rule cannot be computed.
pub fn take_over(
    rules: &SavedArguments,
    values: &mut Scope<'_>,
    saved: Result<&BTreeMap<String, Value>, Value>,
) -> Result<(), ExprError> {
    for take in &rules.takes {
        let mut seen = Scope::within(values);
        for (name, value) in saved.iter().copied().flatten() {
            seen.set(format!("saved_{name}"), value.clone());
        }
        let wanted = match &take.when {
            None => Value::Bool(true),
            Some(when) => when.eval(&seen)?,
        };
        if wanted.truth() == Some(false) {
            continue;
        }
        let mut taken = Vec::new();
        for name in &take.names {
            if take.keep && values.get(name) != &Value::None {
                continue;
            }
            let value = match (&wanted, &take.value, &saved) {
                (Value::Unknown(_), ..) => wanted.clone(),
                (_, Some(value), _) => value.eval(&seen)?,
                (_, None, Err(unknown)) => unknown.clone(),
                (_, None, Ok(saved)) => match saved.get(name) {
                    None | Some(Value::None) => continue,
                    Some(value) => value.clone(),
                },
            };
            taken.push((name.as_str(), value));
        }
        drop(seen);
        for (name, value) in taken {
            values.set(name, value);
        }
    }
    Ok(())
}
