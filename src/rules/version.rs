//! Framework versions and their order.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// A release number such as `0.12.0`, or the development branch, which is newer than any release.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Version {
    /// A release; parts that are not written count as zero.
    Release(Vec<u32>),
    /// The development branch (`main`).
    Main,
}

/// Text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version: expected a number such as 0.12 or `main`")]
pub struct NotAVersion(pub String);

impl FromStr for Version {
    type Err = NotAVersion;

    /// Takes `0.12`, `0.12.0`, `v0.12.0`, `core_v0.12.0`, `core_r0.12.0`, `2.3.0+abc`, `0.13.0rc1` and `main`.
    /// A pre-release counts as its release.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let bad = || NotAVersion(text.to_owned());
        let name = text.trim();
        if matches!(name, "main" | "dev" | "HEAD") {
            return Ok(Self::Main);
        }
        let name = name.strip_prefix("core_").unwrap_or(name);
        let name = name.strip_prefix(['v', 'r']).unwrap_or(name);
        let name = name.split(['+', '-']).next().unwrap_or(name);
        let mut parts = Vec::new();
        for part in name.split('.') {
            let digits = part.find(|c: char| !c.is_ascii_digit()).map_or(part, |end| &part[..end]);
            if digits.is_empty() {
                if parts.is_empty() || part.is_empty() {
                    return Err(bad());
                }
                break;
            }
            parts.push(digits.parse().map_err(|_| bad())?);
            if digits.len() < part.len() {
                break;
            }
        }
        Ok(Self::Release(parts))
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Main, Self::Main) => Ordering::Equal,
            (Self::Main, _) => Ordering::Greater,
            (_, Self::Main) => Ordering::Less,
            (Self::Release(a), Self::Release(b)) => {
                let part = |v: &[u32], i: usize| v.get(i).copied().unwrap_or(0);
                (0..a.len().max(b.len()))
                    .map(|i| part(a, i).cmp(&part(b, i)))
                    .find(|order| order.is_ne())
                    .unwrap_or(Ordering::Equal)
            }
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Main => f.write_str("main"),
            Self::Release(parts) => {
                let parts: Vec<String> = parts.iter().map(u32::to_string).collect();
                f.write_str(&parts.join("."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        text.parse().expect("a version")
    }

    #[test]
    fn names_of_the_same_release_are_equal_in_order() {
        for name in ["0.12", "0.12.0", "core_v0.12.0", "v0.12.0", "0.12.0rc3", "0.12.0+cu12"] {
            assert_eq!(v(name).cmp(&v("core_v0.12.0")), Ordering::Equal, "{name}");
        }
    }

    #[test]
    fn order_is_by_number_and_main_is_newest() {
        assert!(v("0.9") < v("0.12"));
        assert!(v("0.12.1") > v("0.12"));
        assert!(v("main") > v("99.0"));
    }

    #[test]
    fn nonsense_is_refused() {
        for name in ["", "x", "core_v", ".1", "1..2"] {
            assert!(name.parse::<Version>().is_err(), "{name:?}");
        }
    }
}
