//! How a process learns its place among those that one launch starts: `rules/processes.toml`.

use serde::Deserialize;

use super::{RuleError, embedded};

const FILE: &str = "processes.toml";

/// Names of environment variables; the first that is set decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Processes {
    /// The process's number.
    pub rank: Vec<String>,
    /// How many there are.
    pub world_size: Vec<String>,
    /// How many there are where no variable says it.
    pub alone: u64,
}

impl Processes {
    /// Reads the rule file.
    ///
    /// # Errors
    /// When it is wrong.
    pub fn load() -> Result<Self, RuleError> {
        let (path, text) = embedded::below(FILE).next().ok_or_else(|| RuleError::new(FILE, "there is no such file"))?;
        toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))
    }

    /// The number that the first set variable of a list holds.
    pub fn number(names: &[String], variable: &dyn Fn(&str) -> Option<String>) -> Option<u64> {
        names.iter().find_map(|name| variable(name))?.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let processes = Processes::load().expect("the rule file");
        let set = |name: &str| match name {
            "RANK" => Some("3".to_owned()),
            "SLURM_PROCID" => Some("0".to_owned()),
            "WORLD_SIZE" => Some("16".to_owned()),
            _ => None,
        };
        assert_eq!(Processes::number(&processes.rank, &set), Some(3));
        assert_eq!(Processes::number(&processes.world_size, &set), Some(16));
        assert_eq!(Processes::number(&processes.rank, &|_| None), None);
    }
}
