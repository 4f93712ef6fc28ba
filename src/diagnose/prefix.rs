//! A constant prefix: keys that are the same on both sides but for the same text in front of all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::open::{Open, Taken};
use crate::diff::is_state;
use crate::rules::causes::{LISTS, List, Prefix};

/// Fewer keys than this may carry a prefix by chance.
const FEWEST: usize = 2;

/// The prefix under which most keys of one side are keys of the other, with the entries that it explains: at least half
/// of what the shorter side has open.
pub(super) fn find<'d>(open: &Open<'d>, whose: Prefix) -> Option<(String, Taken<'d>)> {
    let at = |list| LISTS.iter().position(|other| *other == list);
    let (missing, unexpected) = (at(List::Missing)?, at(List::Unexpected)?);
    let (long, short) = match whose {
        Prefix::Checkpoint => (unexpected, missing),
        Prefix::Model => (missing, unexpected),
    };
    let mut pairs: BTreeMap<&str, BTreeSet<(&'d str, &'d str)>> = BTreeMap::new();
    for key in open.lists[long].keys() {
        for (dot, _) in key.match_indices('.') {
            if let Some((inner, _)) = open.lists[short].get_key_value(&key[dot + 1..]) {
                pairs.entry(&key[..=dot]).or_default().insert((key, inner));
            }
        }
    }
    let (prefix, pairs) = pairs.into_iter().max_by_key(|(prefix, pairs)| (pairs.len(), usize::MAX - prefix.len()))?;
    let fewest = open.lists[long].len().min(open.lists[short].len()).div_ceil(2).max(FEWEST);
    if pairs.len() < fewest {
        return None;
    }
    let mut taken = Taken::default();
    for (outer, inner) in pairs {
        for (list, key) in [(long, outer), (short, inner)] {
            taken.lists[list].entries.extend(open.lists[list].get(key).into_iter().flatten());
            taken.lists[list].keys.insert(key);
        }
    }
    // Extra states under the prefix belong to it, also those that the other side does without.
    for (key, entries) in open.lists[long].iter().filter(|(key, _)| key.starts_with(prefix) && is_state(key)) {
        if taken.lists[long].keys.insert(key) {
            taken.lists[long].entries.extend(entries);
        }
    }
    Some((prefix.to_owned(), taken))
}
