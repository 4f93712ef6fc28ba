//! Versions in words: `up to 0.12`, `0.9 to 0.11`, `from 0.13 on`.

use super::Report;
use crate::rules::version::Version;

impl Report {
    /// Every version that was checked, oldest first.
    pub(crate) fn all_versions(&self) -> Vec<Version> {
        let mut all: Vec<Version> = self.parts().flat_map(|report| report.versions.iter().cloned()).collect();
        all.sort();
        all
    }

    /// This report and the others, by the oldest of their versions.
    pub(crate) fn by_version(&self) -> Vec<&Self> {
        let mut reports: Vec<&Self> = self.parts().collect();
        reports.sort_by(|a, b| a.versions.first().cmp(&b.versions.first()));
        reports
    }

    fn parts(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.others)
    }
}

/// A version without the zeros that say nothing.
pub(crate) fn short(version: &Version) -> String {
    match version {
        Version::Release(parts) if parts.len() == 3 && parts[2] == 0 => format!("{}.{}", parts[0], parts[1]),
        other => other.to_string(),
    }
}

/// The ranges that some of all versions make up. `all` is sorted.
pub(crate) fn ranges(some: &[Version], all: &[Version]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for (at, _) in all.iter().enumerate().filter(|(_, version)| some.contains(version)) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == at => *last = at,
            _ => ranges.push((at, at)),
        }
    }
    let words: Vec<String> = ranges.into_iter().map(|range| range_of(range, all)).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn range_of((first, last): (usize, usize), all: &[Version]) -> String {
    let name = |at: usize| short(&all[at]);
    match (first, last) {
        (0, last) if last + 1 == all.len() => "in every version".to_owned(),
        (first, last) if first == last => format!("in {}", name(first)),
        (0, last) => format!("up to {}", name(last)),
        (first, last) if last + 1 == all.len() => format!("from {} on", name(first)),
        (first, last) => format!("{} to {}", name(first), name(last)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_read_as_a_person_says_them() {
        let all: Vec<Version> =
            ["0.6.0", "0.7.0", "0.8.0", "0.9.0", "main"].iter().map(|v| v.parse().expect("a version")).collect();
        let of = |picked: &[usize]| ranges(&picked.iter().map(|i| all[*i].clone()).collect::<Vec<_>>(), &all);
        assert_eq!(of(&[0, 1, 2, 3, 4]), "in every version");
        assert_eq!(of(&[0, 1]), "up to 0.7");
        assert_eq!(of(&[2, 3, 4]), "from 0.8 on");
        assert_eq!(of(&[1, 2]), "0.7 to 0.8");
        assert_eq!(of(&[4]), "in main");
        assert_eq!(of(&[0, 2, 3, 4]), "in 0.6 and from 0.8 on");
        assert_eq!(of(&[]), "");
    }
}
