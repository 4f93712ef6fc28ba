//! What a checkpoint's headers will say after a conversion, without one: so that a way out can be proven before it is
//! taken.

use std::sync::Arc;

use super::plan::{self, Entry, From, Target};
use super::{RULES, saved};
use crate::checkpoint::{Checkpoint, Format};
use crate::rules::convert::ConvertRules;
use crate::rules::expr::Scope;
use crate::rules::value::Value;
use crate::rules::version::Version;
use crate::tensor::{Inventory, Tensor};

/// The checkpoint with its experts in the layout of that name, and without the optimizer's state; `None` where it would
/// not be converted.
pub fn predict(checkpoint: &Checkpoint, experts: &str, framework: &Version) -> Option<Checkpoint> {
    if checkpoint.format != Format::Torch || !checkpoint.problems.is_empty() {
        return None;
    }
    let rules = ConvertRules::load(RULES).ok()?;
    let layout = rules.layout(experts)?;
    let saved_args = checkpoint.saved_args.clone().unwrap_or_default();
    let mut facts = Scope::default();
    for (name, value) in &saved_args {
        facts.set(name.as_str(), value.clone());
    }
    facts.set("version", Value::Version(framework.clone()));
    let count = saved::experts_a_rank(&rules, &facts);
    let mut changes = saved::changes(Some(layout), &facts).ok()?;
    saved::keep_real(&mut changes, &saved_args);
    let mut predicted = checkpoint.clone();
    if let Some(saved) = &mut predicted.saved_args {
        saved.extend(changes);
    }
    for part in &mut predicted.parts {
        for chunk in &mut part.chunks {
            let entries: Vec<Entry> = chunk.iter().map(|(key, tensor)| entry(key, tensor)).collect();
            let plan = plan::experts(&rules, &entries, layout, count).ok()?;
            let tensors: Vec<&Tensor> = chunk.iter().map(|(_, tensor)| tensor).collect();
            let made = plan.targets.iter().map(|target| Some((Arc::from(&*target.key), made(target, &tensors)?)));
            let made = made.collect::<Option<Inventory>>()?;
            *chunk = made;
        }
        let optimizer = &rules.experts.optimizer;
        let beside = |file: &String| file.rsplit_once('.').map_or(file.clone(), |(stem, _)| stem.to_owned());
        let gone: Vec<String> = optimizer.entries.iter().cloned().chain(optimizer.files.iter().map(beside)).collect();
        let is_gone = |key: &str| gone.iter().any(|name| key.split('.').next() == Some(name));
        part.other =
            part.other.iter().filter(|(key, _)| !is_gone(key)).map(|(k, t)| (Arc::clone(k), t.clone())).collect();
        part.values.retain(|key, _| !is_gone(key));
    }
    Some(predicted)
}

fn entry(key: &str, tensor: &Tensor) -> Entry {
    // A state's content is not in the headers; whether it is empty does not change which keys there are.
    let shape = tensor.shape.clone().filter(|_| tensor.dtype.is_some());
    Entry { key: key.to_owned(), shape, is_empty_state: true }
}

fn made(target: &Target, tensors: &[&Tensor]) -> Option<Tensor> {
    let tensor = |like: &Tensor| Some(Tensor { shape: Some(target.shape.clone()), ..like.clone() });
    match &target.from {
        From::Same(index) => tensors.get(*index).map(|tensor| (*tensor).clone()),
        From::Nothing => Some(Tensor::object()),
        From::Split { entry, .. } => tensors.get(*entry).and_then(|like| tensor(like)),
        From::Join(entries) => tensors.get(*entries.first()?).and_then(|like| tensor(like)),
    }
}
