//! Keys that a load hook of a module takes back: the state dict holds them, the model does not want them, and the hook
//! keeps that quiet.
//!
//! A hook runs when its module and all within it are loaded, and takes from the list of unexpected keys as it is then.
//! So it matters what was loaded before: modules are entered in the order in which they were registered, and a key is
//! listed when the last of its modules that exists is entered.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::PartDiff;
use crate::rules::causes::as_path;
use crate::rules::loader::Hook;
use crate::tensor::Inventory;

/// Takes from the unexpected keys what the hooks take back. `order` names modules in the order of their registration.
pub fn take_back(hooks: &[&Hook], order: &[String], expected: &Inventory, part: &mut PartDiff) {
    if part.unexpected.is_empty() || hooks.is_empty() {
        return;
    }
    let mut modules = BTreeSet::from([""]);
    for (key, _) in expected.iter() {
        modules.extend(key.match_indices('.').map(|(at, _)| &key[..at]));
    }
    for hook in hooks {
        let last = hook.after.as_ref().map(|glob| {
            let with_hook = modules.iter().filter(|module| glob.is_match(as_path(module)));
            with_hook.max_by(|a, b| enter(a, b, order))
        });
        let Some(last) = last.map_or(Some(None), |last| last.map(|module| Some(*module))) else { continue };
        part.unexpected.retain(|(key, _)| {
            let listed = key.match_indices('.').map(|(at, _)| &key[..at]).rfind(|module| modules.contains(module));
            !(hook.unexpected.is_match(as_path(key))
                && last.is_none_or(|last| is_listed_before_end(listed.unwrap_or(""), last, order)))
        });
    }
}

/// Whether a module is entered before another one is left.
fn is_listed_before_end(module: &str, other: &str, order: &[String]) -> bool {
    other.is_empty()
        || module == other
        || module.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'))
        || enter(module, other, order) == Ordering::Less
}

/// The order in which modules are entered.
fn enter(a: &str, b: &str, order: &[String]) -> Ordering {
    let place = |part: &str| match part.parse::<usize>() {
        Ok(number) => number,
        Err(_) => order.iter().position(|name| name == part).unwrap_or(usize::MAX),
    };
    let parts = |path: &str| path.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (parts(a), parts(b));
    let apart = a.iter().zip(&b).find(|(a, b)| a != b);
    apart.map_or(a.len().cmp(&b.len()), |(a, b)| place(a).cmp(&place(b)).then_with(|| a.cmp(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::compare;
    use crate::rules::causes::globs;
    use crate::tensor::Tensor;

    fn inventory(keys: &[&str]) -> Inventory {
        keys.iter().map(|key| ((*key).into(), Tensor::object())).collect()
    }

    #[test]
    fn a_hook_takes_back_what_was_listed_before_it_ran() {
        let expected = inventory(&["a.0.x.w", "a.0.hooked.w", "a.0.y.w", "a.1.x.w", "a.1.hooked.w", "a.1.y.w", "b.w"]);
        let found = inventory(&["a.0.y.s", "a.1.x.s", "a.1.hooked.s", "a.1.y.s", "a.2.x.s", "a.2.x.t", "b.s"]);
        let glob = |text: &str| globs("test", &[text.to_owned()]).expect("a glob");
        let hook = Hook { when: None, after: Some(glob("**.hooked")), unexpected: glob("**.s") };
        let order = ["a", "b", "x", "hooked", "y"].map(str::to_owned);
        let mut part = compare(&expected, &found);
        take_back(&[&hook], &order, &expected, &mut part);
        let left: Vec<&str> = part.unexpected.iter().map(|(key, _)| &**key).collect();
        // `a.2` does not exist: its keys are listed when `a` is entered.
        assert_eq!(left, ["a.1.y.s", "a.2.x.t", "b.s"]);
        let everywhere = Hook { when: None, after: None, unexpected: glob("**.t") };
        take_back(&[&everywhere], &order, &expected, &mut part);
        assert_eq!(part.unexpected.len(), 2);
    }
}
