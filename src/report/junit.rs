//! JUnit XML: one test case a launch.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::findings::Subject;

/// Writes the report.
///
/// # Errors
/// When it cannot be written.
pub fn write(out: impl Write, subjects: &[Subject]) -> io::Result<()> {
    let mut suite = TestSuite::new("checkpoint loads");
    for subject in subjects {
        let mut case = TestCase::new(subject.name.as_str(), status(subject));
        case.set_classname("moe-lint");
        case.set_time(Duration::from_secs_f64(subject.seconds.max(0.0)));
        suite.add_test_case(case);
    }
    let mut report = Report::new(env!("CARGO_PKG_NAME"));
    report.add_test_suite(suite);
    report.serialize(out).map_err(io::Error::other)
}

fn status(subject: &Subject) -> TestCaseStatus {
    if subject.passes {
        return TestCaseStatus::success();
    }
    // An error is a test that could not tell; a failure is one that did.
    let kind = match subject.outcome {
        "error" | "undetermined" => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(format!("{}: {}", subject.outcome, subject.summary));
    status.set_type(subject.findings.first().map_or(subject.outcome, |finding| finding.rule.as_str()));
    let mut text = String::new();
    for finding in &subject.findings {
        let place = &finding.place;
        text.push_str(&format!(
            "{}:{}:{}: {}[{}]: {}\n",
            place.file,
            place.line,
            place.column,
            finding.severity.name(),
            finding.rule,
            finding.message
        ));
        finding.details.iter().for_each(|detail| text.push_str(&format!("  {detail}\n")));
    }
    status.set_description(text);
    status
}
