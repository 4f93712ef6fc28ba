//! The framework version that a launch is judged for, and what is installed beside it.

use super::detect::{self, Detected, Imports};
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
    /// What a launch is to be judged for: the version that the user tells, else that of the copy which it would import,
    /// else every version.
    ///
    /// # Errors
    /// When its version is older than the rules.
    pub fn of(reading: &Reading<'_>) -> Result<Self, Error> {
        let machine = &reading.request.machine;
        let releases = releases::load()?;
        let all_told = machine.framework.is_some() && machine.te.is_some();
        let imports = if all_told { Imports::default() } else { detect::imports(reading)? };
        let engine = match (&machine.te, imports.engine) {
            (Some(te), _) => Some((te.clone(), "--te".to_owned())),
            (None, Some(found)) => Some((Some(found.version), found.from)),
            (None, None) => None,
        };
        let by = machine.told_by.as_ref().map_or_else(|| "--megatron".to_owned(), |path| path.display().to_string());
        if let Some(version) = machine.framework.clone() {
            let release = releases::describing(releases, &version).ok_or_else(|| Error::TooOld(version.clone()))?;
            return Ok(Self::One(Target::new(release, version, &by, machine, engine)));
        }
        if let Some(Detected { version, from }) = imports.framework {
            let version = releases::known_as(releases, version);
            let release = releases::describing(releases, &version);
            let release = release.ok_or_else(|| Error::CopyTooOld(version.clone(), from.clone()))?;
            return Ok(Self::One(Target::new(release, version, &from, machine, engine)));
        }
        let every = |release: &Release| Target::new(release, release.name.clone(), EVERY, machine, engine.clone());
        Ok(Self::Every(releases.iter().map(every).collect()))
    }
}

/// How a version is known that is one of all.
const EVERY: &str = "every version known";

impl Target {
    /// A single version where one has to do: without a known one the newest release.
    ///
    /// # Errors
    /// When the version is older than the rules.
    pub fn one(reading: &Reading<'_>) -> Result<Self, Error> {
        match Targets::of(reading)? {
            Targets::One(target) => Ok(target),
            Targets::Every(targets) => {
                let mut numbered = targets.into_iter().rev().filter(|target| *target.version() != Version::Main);
                let mut newest = numbered.next().ok_or(Error::NoTrainingCommand)?;
                newest.framework.from = "assumed: the newest release known".to_owned();
                Ok(newest)
            }
        }
    }

    /// As [`Self::one`], with the oldest release in place of what is older than the rules: to look, not to judge.
    ///
    /// # Errors
    /// When a rule file cannot be read.
    pub fn nearest(reading: &Reading<'_>) -> Result<Self, Error> {
        match (Self::one(reading), releases::load()?.first()) {
            (Err(Error::TooOld(version) | Error::CopyTooOld(version, _)), Some(oldest)) => {
                let from = format!("the oldest release known; the launch has {version}");
                Ok(Self::new(oldest, oldest.name.clone(), &from, &reading.request.machine, None))
            }
            (target, _) => target,
        }
    }

    /// `engine` is Transformer Engine's version, where something tells it, and what does.
    fn new(
        release: &Release,
        version: Version,
        from: &str,
        machine: &Machine,
        engine: Option<(Option<Version>, String)>,
    ) -> Self {
        let assumed = || (Some(release.te.clone()), format!("assumed beside {FRAMEWORK} {version}"));
        let (transformer_engine, engine_from) = engine.unwrap_or_else(assumed);
        Self {
            environment: Environment { transformer_engine, engine_from, apex: machine.apex },
            framework: Framework { name: FRAMEWORK.to_owned(), version, from: from.to_owned() },
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
