//! A set of whole numbers, kept and printed as runs.

use std::fmt;

/// A set of whole numbers that is not empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Numbers {
    /// First and last number of each run, ascending, runs never touching: one set has one spelling.
    runs: Vec<(u64, u64)>,
}

impl Numbers {
    /// The set of these numbers, which must ascend.
    pub fn ascending(numbers: impl IntoIterator<Item = u64>) -> Self {
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for n in numbers {
            match runs.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(n) => *last = n,
                _ => runs.push((n, n)),
            }
        }
        Self { runs }
    }

    /// The set of these runs, if they ascend and hold at most `limit` numbers.
    pub(super) fn of_runs(runs: Vec<(u64, u64)>, limit: u64) -> Option<Self> {
        let mut joined: Vec<(u64, u64)> = Vec::with_capacity(runs.len());
        let mut count: u64 = 0;
        for (first, last) in runs {
            count = (last - first).checked_add(1)?.checked_add(count).filter(|count| *count <= limit)?;
            match joined.last_mut() {
                Some((_, end)) if first <= *end => return None,
                Some((_, end)) if *end + 1 == first => *end = last,
                _ => joined.push((first, last)),
            }
        }
        (!joined.is_empty()).then_some(Self { runs: joined })
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.runs.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// The smallest.
    pub(super) fn first(&self) -> u64 {
        self.runs.first().map_or(0, |run| run.0)
    }

    /// The numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.runs.iter().flat_map(|&(first, last)| first..=last)
    }

    /// The distance between neighbours, where it is the same for at least four lone numbers.
    fn step(&self) -> Option<u64> {
        let [(first, _), (second, _), _, _, ..] = self.runs[..] else { return None };
        let step = second - first;
        let lone = self.runs.iter().all(|(first, last)| first == last);
        (lone && self.runs.windows(2).all(|pair| pair[1].0 - pair[0].0 == step)).then_some(step)
    }
}

impl fmt::Display for Numbers {
    /// In the manner of bash: `7`, `{1,2}`, `{0..31}`, `{0..30..2}`, and lists of these: `{0..3,5}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.runs[..], self.step()) {
            ([(first, last)], _) if first == last => write!(f, "{first}"),
            ([(first, _), .., (last, _)], Some(step)) => write!(f, "{{{first}..{last}..{step}}}"),
            (runs, _) => {
                for (i, (first, last)) in runs.iter().enumerate() {
                    f.write_str(if i == 0 { "{" } else { "," })?;
                    match last - first {
                        0 => write!(f, "{first}")?,
                        1 => write!(f, "{first},{last}")?,
                        _ => write!(f, "{first}..{last}")?,
                    }
                }
                f.write_str("}")
            }
        }
    }
}
