//! The framework version that a launch is judged for, and what is installed beside it.

use super::reading::Reading;
use super::request::Machine;
use crate::error::Error;
use crate::report::{Environment, Framework};
use crate::rules::releases::{self, Release};
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

/// What there is to judge for.
pub(super) enum Targets {
    /// The version is known.
    One(Target),
    /// It is not: all that the rules describe, oldest first.
    Every(Vec<Target>),
}

impl Targets {
    /// What a launch is to be judged for.
    ///
    /// # Errors
    /// When its version is older than the rules.
    pub fn of(reading: &Reading<'_>) -> Result<Self, Error> {
        let machine = &reading.request.machine;
        if let Some(target) = Target::told(machine)? {
            return Ok(Self::One(target));
        }
        let every = |release: &Release| Target::new(release, release.name.clone(), "every version known", machine);
        Ok(Self::Every(releases::load()?.iter().map(every).collect()))
    }
}

impl Target {
    /// What the user tells, if they tell the version.
    fn told(machine: &Machine) -> Result<Option<Self>, Error> {
        let Some(version) = &machine.framework else { return Ok(None) };
        let releases = releases::load()?;
        let release = releases::describing(releases, version).ok_or_else(|| Error::TooOld(version.clone()))?;
        Ok(Some(Self::new(release, version.clone(), "--megatron", machine)))
    }

    /// A single version where one has to do: without a known one the newest release.
    ///
    /// # Errors
    /// When the version is older than the rules.
    pub fn one(reading: &Reading<'_>) -> Result<Self, Error> {
        match Targets::of(reading)? {
            Targets::One(target) => Ok(target),
            Targets::Every(_) => {
                let newest = releases::newest(releases::load()?).ok_or(Error::NoTrainingCommand)?;
                let from = "assumed: the newest release known";
                Ok(Self::new(newest, newest.name.clone(), from, &reading.request.machine))
            }
        }
    }

    fn new(release: &Release, version: Version, from: &str, machine: &Machine) -> Self {
        let te = machine.te.clone().unwrap_or_else(|| Some(release.te.clone()));
        Self {
            framework: Framework { name: FRAMEWORK.to_owned(), version, from: from.to_owned() },
            environment: Environment { transformer_engine: te, apex: machine.apex },
        }
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
