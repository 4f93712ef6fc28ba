//! Words for a set of ranks, so that what is the same on many of them is said once.

use super::rows::count;
use crate::diff::PartDiff;
use crate::pattern;

/// More groups of ranks than this are only counted.
const MOST_GROUPS: usize = 3;

/// The names of a rank's coordinates, in the order of [`values`].
const DIMENSIONS: [&str; 5] = ["TP", "PP", "EP", "ETP", "VPP"];

fn values(part: &PartDiff) -> [Option<u64>; 5] {
    let at = part.coordinates;
    [at.map(|c| c.tp), at.map(|c| c.pp), at.map(|c| c.ep), at.and_then(|c| c.etp), part.vpp]
}

/// Where the chosen parts are among all of them: `on each of 4 EP ranks`, `on PP 1, EP {0,1}`. Empty for the only one.
pub(super) fn describe(parts: &[PartDiff], chosen: &[usize]) -> String {
    if parts.len() <= 1 {
        return String::new();
    }
    let differs = |i: usize| parts.iter().any(|part| values(part)[i] != values(&parts[0])[i]);
    let varying: Vec<usize> = (0..DIMENSIONS.len()).filter(|&i| differs(i)).collect();
    if chosen.len() == parts.len() {
        return match varying[..] {
            [4] => format!("on each of {}", count(parts.len() as u64, "model chunk")),
            [only] => format!("on each of {} {} ranks", parts.len(), DIMENSIONS[only]),
            _ => format!("on each of {} {}", parts.len(), noun(parts)),
        };
    }
    let names = chosen.iter().map(|&part| {
        let coordinates = varying.iter().filter_map(|&i| values(&parts[part])[i].map(|n| (DIMENSIONS[i], n)));
        coordinates.map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
    });
    let groups = pattern::fold(names);
    if groups.len() > MOST_GROUPS {
        return format!("on {} of {} {}", chosen.len(), parts.len(), noun(parts));
    }
    format!("on {}", groups.iter().map(|group| group.to_string()).collect::<Vec<_>>().join(" and "))
}

/// What a part is called where there are several.
pub(super) fn noun(parts: &[PartDiff]) -> &'static str {
    if parts.iter().any(|part| part.vpp.is_some()) { "model chunks" } else { "ranks" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Coordinates;

    fn parts(tp: u64, pp: u64, ep: u64) -> Vec<PartDiff> {
        let mut parts = Vec::new();
        for p in 0..pp {
            for e in 0..ep {
                for t in 0..tp {
                    let coordinates = Some(Coordinates { tp: t, pp: p, ep: e, etp: None });
                    parts.push(PartDiff { coordinates, ..PartDiff::default() });
                }
            }
        }
        parts
    }

    #[test]
    fn ranks_are_named_by_what_varies() {
        assert_eq!(describe(&parts(1, 1, 1), &[0]), "");
        assert_eq!(describe(&parts(1, 1, 4), &[0, 1, 2, 3]), "on each of 4 EP ranks");
        assert_eq!(describe(&parts(2, 1, 2), &[0, 1, 2, 3]), "on each of 4 ranks");
        assert_eq!(describe(&parts(1, 1, 4), &[1]), "on EP 1");
        assert_eq!(describe(&parts(1, 2, 4), &[0, 1, 2, 3]), "on PP 0, EP {0..3}");
        assert_eq!(describe(&parts(1, 2, 4), &[0, 1, 2, 3, 5]), "on PP 0, EP {0..3} and PP 1, EP 1");
    }
}
