//! What saved arguments decide, and which of them the target tells otherwise.

use std::collections::BTreeMap;

use super::error::{ConvertError, Result};
use crate::rules::convert::{ConvertRules, Layout};
use crate::rules::expr::Scope;
use crate::rules::value::Value;

/// Experts of a rank, where the saved arguments tell.
pub fn experts_a_rank(rules: &ConvertRules, facts: &Scope<'_>) -> Option<u64> {
    let count = rules.experts.experts_a_rank.eval(facts).ok()?.int()?;
    u64::try_from(count).ok()
}

/// The arguments that tell a layout. `facts` has the saved ones as they will be.
///
/// # Errors
/// When the layout cannot be built with them.
pub fn changes(target: Option<&Layout>, facts: &Scope<'_>) -> Result<BTreeMap<String, Value>> {
    let mut changes = BTreeMap::new();
    let Some(target) = target else { return Ok(changes) };
    for refusal in &target.refusals {
        if refusal.when.eval(facts)?.truth() == Some(true) {
            return Err(ConvertError::refused(&refusal.message, &refusal.help));
        }
    }
    for argument in &target.saved {
        let holds = argument.when.as_ref().map(|when| when.eval(facts)).transpose()?;
        if holds.is_none_or(|value| value.truth() == Some(true)) {
            changes.insert(argument.name.clone(), argument.value.eval(facts)?);
        }
    }
    Ok(changes)
}

/// Only what the checkpoint has, and has otherwise.
pub fn keep_real(changes: &mut BTreeMap<String, Value>, saved: &BTreeMap<String, Value>) {
    changes.retain(|name, value| saved.get(name).is_some_and(|old| old != value));
}
