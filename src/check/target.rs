//! The framework version that a launch is judged for, and what is installed beside it.

use super::request::Machine;
use crate::error::Error;
use crate::report::{Environment, Framework};
use crate::rules::releases;
use crate::rules::version::Version;
use crate::training::Installed;

/// The framework's name.
pub(super) const FRAMEWORK: &str = "Megatron-LM";

/// What a launch is judged for.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// The framework.
    pub framework: Framework,
    /// What is installed beside it.
    pub environment: Environment,
}

impl Target {
    /// What a machine has. Without a version: the newest release.
    ///
    /// # Errors
    /// When the version is older than the rules.
    pub fn of(machine: &Machine) -> Result<Self, Error> {
        let releases = releases::load()?;
        let (version, from) = match &machine.framework {
            Some(version) => (version.clone(), "--megatron".to_owned()),
            None => {
                let newest = releases::newest(releases).ok_or(Error::NoTrainingCommand)?;
                (newest.name.clone(), "assumed: the newest release known".to_owned())
            }
        };
        let release = releases::describing(releases, &version).ok_or_else(|| Error::TooOld(version.clone()))?;
        let te = machine.te.clone().unwrap_or_else(|| Some(release.te.clone()));
        Ok(Self {
            framework: Framework { name: FRAMEWORK.to_owned(), version, from },
            environment: Environment { transformer_engine: te, apex: machine.apex },
        })
    }

    /// The framework's version.
    pub fn version(&self) -> &Version {
        &self.framework.version
    }

    /// The same for the rules.
    pub fn installed(&self) -> Installed {
        Installed {
            framework: self.framework.version.clone(),
            transformer_engine: self.environment.transformer_engine.clone(),
            apex: self.environment.apex,
        }
    }
}
