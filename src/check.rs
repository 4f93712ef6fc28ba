//! The whole flow on one page: a launch is read, its target told, then judged in one pass (`pass`): configured, its schema
//! built, compared with a checkpoint, the loader's stages gone through, the difference explained. Each way out is proven
//! by another pass. Where the framework's version is not known, there is a pass for every version (`every`).

mod arguments;
mod arguments_file;
mod beside;
mod compare;
mod detect;
mod every;
mod find;
mod findings;
mod group;
mod own_arguments;
mod parameters;
mod pass;
mod prove;
mod reading;
mod repair;
mod request;
mod saved;
mod saved_model;
mod scope;
mod target;
mod tokenizer;
mod understand;
mod way;

use std::time::Instant;

pub use arguments::arguments;
pub use request::{Input, Machine, Request};

use crate::checkpoint::Format;
use crate::error::Error;
use crate::report::{Report, SchemaReport};
use every::every;
use group::judged;
use pass::pass;
use reading::Reading;
use target::{Target, Targets};
use understand::Understood;

/// What a launch builds, without a checkpoint. `format` is that of the checkpoint it would be stored in.
///
/// # Errors
/// When there is nothing to judge.
pub fn schema(request: &Request, format: Option<Format>) -> Result<SchemaReport, Error> {
    let start = Instant::now();
    let reading = Reading::new(request)?;
    let target = Target::one(&reading)?;
    let mut understood = Understood::new(&reading, &target)?;
    let format = format.unwrap_or_else(|| match understood.config.values.get("checkpoint_format").text() {
        Some("torch") => Format::Torch,
        _ => Format::TorchDist,
    });
    let schema = understood.build(format)?;
    let told = understood.rejected.is_none() && understood.undetermined.is_empty();
    Ok(SchemaReport {
        framework: target.framework,
        environment: target.environment,
        launch: understood.launch,
        rejected: understood.rejected,
        schema: schema.filter(|_| told),
        undetermined: understood.undetermined,
        elapsed: start.elapsed(),
    })
}

/// Checks a launch against a checkpoint.
///
/// # Errors
/// When there is nothing to judge. A finding is never an error.
pub fn check(request: &Request) -> Result<Report, Error> {
    let start = Instant::now();
    crate::rules::read_ahead();
    let reading = Reading::new(request)?;
    let mut report = match Targets::of(&reading)? {
        Targets::One(target) => judged(&reading, pass(&reading, &target)?, &[]),
        Targets::Every(targets) => every(&reading, &targets)?,
    };
    report.elapsed = start.elapsed();
    Ok(report)
}
