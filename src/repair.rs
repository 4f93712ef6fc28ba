//! Config repair: the smallest change of a launch's arguments under which a checkpoint loads.
//!
//! [`plans`] are the changes to begin with, [`search`] tries them, then single arguments, and leaves out what is not
//! needed. What loads is for the caller to judge, by going through everything again.

mod search;
mod setting;

pub use search::{Trial, search};
pub use setting::{Setting, candidate, title};

use crate::checkpoint::Checkpoint;
use crate::infer::{Inference, Known, same};
use crate::rules::expr::{ExprError, Scope};
use crate::rules::flags::Parser;
use crate::rules::repair::RepairRules;
use crate::rules::value::Value;

/// The changes to try, each as a whole first; and those to try one by one.
#[derive(Debug, Default)]
pub struct Plans {
    /// What the checkpoint tells of its launch.
    pub whole: Vec<Vec<Setting>>,
    /// Single arguments.
    pub single: Vec<Setting>,
}

/// What to try for a launch with these values.
///
/// # Errors
/// When an expression of a rule cannot be computed.
pub fn plans(
    rules: &RepairRules,
    parser: &Parser,
    values: &Scope<'_>,
    checkpoint: &Checkpoint,
    inference: &Inference,
) -> Result<Plans, ExprError> {
    let setting = |name: &str, value: &Value, saved: bool| Setting::new(rules, parser, values, name, value, saved);
    let mut from_saved = Vec::new();
    let mut from_shapes = Vec::new();
    for inferred in &inference.arguments {
        let saved = checkpoint.saved_args.as_ref().and_then(|saved| saved.get(&inferred.name));
        if let Some(value) = saved {
            from_saved.extend(setting(&inferred.name, value, true));
        }
        if let Known::Value { value, .. } = &inferred.known {
            let from = saved.is_some_and(|saved| same(saved, value));
            from_shapes.extend(setting(&inferred.name, value, from));
        }
    }
    for name in &rules.also {
        if let Some(value) = checkpoint.saved_args.as_ref().and_then(|saved| saved.get(name)) {
            from_saved.extend(setting(name, value, true));
        }
    }
    let mut plans = Plans::default();
    for plan in [from_saved, from_shapes] {
        let here: Vec<Setting> = plan.iter().filter(|one| !rules.parallel.contains(&one.name)).cloned().collect();
        for plan in [plan, here] {
            if !plan.is_empty() && !plans.whole.contains(&plan) {
                plans.whole.push(plan);
            }
        }
    }
    let mut scope = Scope::within(values);
    for (name, value) in inference.facts.own() {
        scope.set(format!("stored_{name}"), value.clone());
    }
    let mut tries = Vec::new();
    for one in &rules.tries {
        let holds = one.when.as_ref().map(|when| when.eval(&scope)).transpose()?;
        if holds.is_none_or(|holds| holds.truth() == Some(true)) {
            tries.extend(setting(&one.name, &one.value.eval(&scope)?, false));
        }
    }
    for one in plans.whole.iter().flatten().cloned().chain(tries) {
        if !plans.single.contains(&one) {
            plans.single.push(one);
        }
    }
    Ok(plans)
}
