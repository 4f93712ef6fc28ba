//! The laws of comparing and explaining, on random state dicts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use moe_lint::diagnose::{Evidence, Explained, diagnose};
use moe_lint::diff::{Diff, PartDiff, compare};
use moe_lint::rules::causes;
use moe_lint::rules::expr::Scope;
use moe_lint::rules::value::Value;
use moe_lint::rules::version::Version;
use moe_lint::tensor::{Dtype, Inventory, Key, Tensor};
use proptest::prelude::*;

fn key() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("mlp.experts.weight1"),
        Just("mlp.experts.weight2"),
        Just("mlp.experts.local_experts.0.linear_fc1.weight"),
        Just("mlp.experts.local_experts.1.linear_fc2._extra_state"),
        Just("mlp.experts.linear_fc1.weight0"),
        Just("mlp.experts.linear_fc2._extra_state"),
        Just("self_attention.linear_qkv.weight"),
        Just("self_attention.linear_qkv.layer_norm_weight"),
        Just("input_layernorm.weight"),
        Just("mlp.router.weight"),
    ];
    (0..4_u8, name).prop_map(|(layer, name)| format!("decoder.layers.{layer}.{name}"))
}

fn tensor() -> impl Strategy<Value = Tensor> {
    prop_oneof![
        prop::collection::vec(1..4_u64, 1..3).prop_map(|shape| Tensor::tensor(shape, Dtype::new("bfloat16"))),
        Just(Tensor::object()),
    ]
}

fn inventory() -> impl Strategy<Value = Inventory> {
    prop::collection::vec((key(), tensor()), 0..24)
        .prop_map(|entries| entries.into_iter().map(|(k, t)| (Arc::from(k), t)).collect())
}

fn keys(entries: &[(Key, Tensor)]) -> Vec<&str> {
    entries.iter().map(|(key, _)| &**key).collect()
}

fn scope(experts: &str) -> Scope<'static> {
    let mut scope = Scope::default();
    scope.set("experts", Value::str(experts));
    scope.set("te", Value::Bool(true));
    scope
}

proptest! {
    #[test]
    fn identity(one in inventory()) {
        prop_assert!(compare(&one, &one).is_empty());
    }

    #[test]
    fn symmetry(one in inventory(), other in inventory()) {
        let (there, back) = (compare(&one, &other), compare(&other, &one));
        prop_assert_eq!(keys(&there.missing), keys(&back.unexpected));
        prop_assert_eq!(keys(&there.unexpected), keys(&back.missing));
        prop_assert_eq!(there.mismatched.len(), back.mismatched.len());
    }

    #[test]
    fn every_entry_is_accounted_for(one in inventory(), other in inventory()) {
        let part = compare(&one, &other);
        let both = one.iter().filter(|(key, _)| other.get(key).is_some()).count();
        prop_assert_eq!(part.missing.len() + both, one.len());
        prop_assert_eq!(part.unexpected.len() + both, other.len());
        prop_assert!(part.mismatched.len() <= both);
    }

    #[test]
    fn order_never_matters(entries in prop::collection::vec((key(), tensor()), 0..24), other in inventory()) {
        // Of two entries with one key the same one must stay, whatever the order.
        let unique: BTreeMap<_, _> = entries.into_iter().collect();
        let forward: Inventory = unique.iter().map(|(k, t)| (Arc::from(k.as_str()), t.clone())).collect();
        let backward: Inventory = unique.iter().rev().map(|(k, t)| (Arc::from(k.as_str()), t.clone())).collect();
        prop_assert_eq!(compare(&forward, &other), compare(&backward, &other));
    }

    #[test]
    fn diagnoses_explain_each_difference_exactly_once(
        pairs in prop::collection::vec((inventory(), inventory()), 1..4),
        experts in prop_oneof![Just("grouped"), Just("te_grouped"), Just("sequential")],
        version in prop_oneof![Just("0.8"), Just("0.12"), Just("0.15"), Just("0.19"), Just("main")],
    ) {
        let diff = Diff { parts: pairs.iter().map(|(one, other)| compare(one, other)).collect() };
        let version: Version = version.parse().expect("a version");
        let causes = causes::all().expect("the causes");
        let (scope, given) = (scope(experts), BTreeMap::new());
        let found = diagnose(causes, &Evidence { diff: &diff, scope: &scope, given: &given, version: &version });
        for (list, count) in [
            (taken(&found, |e| &e.missing), count(&diff, |p| p.missing.len())),
            (taken(&found, |e| &e.unexpected), count(&diff, |p| p.unexpected.len())),
            (taken(&found, |e| &e.mismatched), count(&diff, |p| p.mismatched.len())),
        ] {
            prop_assert_eq!(list.len(), count);
            prop_assert_eq!(list.iter().collect::<BTreeSet<_>>().len(), count, "an entry is explained twice");
        }
        prop_assert_eq!(found.is_empty(), diff.is_empty());
    }
}

fn taken(
    found: &[moe_lint::diagnose::Found],
    list: impl Fn(&Explained) -> &Vec<(usize, usize)>,
) -> Vec<(usize, usize)> {
    found.iter().flat_map(|one| list(&one.diagnosis.explains).clone()).collect()
}

fn count(diff: &Diff, of: impl Fn(&PartDiff) -> usize) -> usize {
    diff.parts.iter().map(of).sum()
}
