//! Changes of names: another implementation of the same layers, a constant prefix.

use std::collections::BTreeSet;

use super::error::{ConvertError, Result};
use super::plan::{From, Plan, Target};
use crate::rules::convert::{ConvertRules, ImplementationRules, ModuleStates};
use crate::rules::expr::Scope;
use crate::rules::key_form::Places;

/// From one implementation to another.
#[derive(Debug, Clone, Copy)]
pub struct Implementations<'n> {
    /// The source's.
    pub from: &'n str,
    /// The target's.
    pub to: &'n str,
}

/// Gives the entries of a plan the names that another implementation has, and its module states.
///
/// # Errors
/// When a rule cannot be computed.
pub fn implement(rules: &ConvertRules, change: Implementations<'_>, facts: &Scope<'_>, plan: &mut Plan) -> Result<()> {
    let suffix = &rules.experts.states.suffix;
    let rules = &rules.implementations;
    let keys: BTreeSet<String> = plan.targets.iter().map(|target| target.key.clone()).collect();
    for target in plan.targets.iter_mut().filter(|target| !target.key.ends_with(suffix.as_str())) {
        if let Some(key) = renamed(rules, change, &target.key, &keys) {
            target.key = key;
        }
    }
    let mut states = Vec::new();
    for state in rules.states.iter().filter(|state| state.implementation == change.to) {
        let holds = state.when.as_ref().map(|when| when.eval(facts)).transpose()?;
        match holds.map(|value| value.truth()) {
            None | Some(Some(true)) => states.push(state),
            Some(Some(false)) => {}
            Some(None) => {
                return Err(ConvertError::refused(
                    format!("what {} keeps as module state depends on its version, which is not known", change.to),
                    "give it with --te, or Megatron-LM's with --megatron",
                ));
            }
        }
    }
    let of = |module: &str| states.iter().find(|state| state.has(module)).copied();
    plan.targets.retain_mut(|target| match target.key.strip_suffix(suffix.as_str()).map(of) {
        None => true,
        Some(None) => false,
        Some(Some(state)) => {
            if is_none(state) {
                target.from = From::Nothing;
            }
            true
        }
    });
    add_states(plan, suffix, &of);
    Ok(())
}

fn is_none(state: &ModuleStates) -> bool {
    state.value.as_deref() == Some("none")
}

fn renamed(
    rules: &ImplementationRules,
    change: Implementations<'_>,
    key: &str,
    keys: &BTreeSet<String>,
) -> Option<String> {
    rules.renames.iter().find_map(|rename| {
        let places = rename.keys.get(change.from)?.places(key)?;
        let with = rename.with.write(Places { rest: "", ..places });
        keys.contains(&with).then(|| rename.keys.get(change.to).map(|form| form.write(places))).flatten()
    })
}

/// A state for every module that has one in the target and none yet, behind the module's last entry.
fn add_states<'s>(plan: &mut Plan, suffix: &str, of: &dyn Fn(&str) -> Option<&'s ModuleStates>) {
    let keys: BTreeSet<String> = plan.targets.iter().map(|target| target.key.clone()).collect();
    let module = |target: &Target| target.key.rsplit_once('.').map(|(module, _)| module.to_owned());
    let targets = std::mem::take(&mut plan.targets);
    let mut rest = targets.into_iter().peekable();
    let mut added = BTreeSet::new();
    while let Some(target) = rest.next() {
        let here = module(&target);
        let is_last = rest.peek().is_none_or(|next| module(next) != here);
        let is_expert = target.is_expert;
        plan.targets.push(target);
        let Some(here) = here.filter(|_| is_last) else { continue };
        let key = format!("{here}{suffix}");
        let wanted = of(&here).is_some_and(|state| state.value.is_none());
        if wanted && !keys.contains(&key) && added.insert(key.clone()) {
            plan.targets.push(Target { key, from: From::Nothing, shape: Vec::new(), is_expert });
        }
    }
}

/// Takes a constant prefix away from every key, or puts one before it.
///
/// # Errors
/// When a key lacks the prefix that is to be taken away.
pub fn prefix(strip: Option<&str>, add: Option<&str>, plan: &mut Plan) -> Result<()> {
    for target in &mut plan.targets {
        if let Some(strip) = strip {
            let rest = target.key.strip_prefix(strip).filter(|rest| !rest.is_empty());
            let rest = rest.ok_or_else(|| {
                ConvertError::refused(
                    format!("`{}` does not begin with `{strip}`", target.key),
                    "--strip-prefix takes a prefix that every key has",
                )
            })?;
            target.key = rest.to_owned();
        }
        if let Some(add) = add {
            target.key.insert_str(0, add);
        }
    }
    Ok(())
}
