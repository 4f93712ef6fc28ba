//! What a conversion did.

use super::rows::{count, printable, prose};
use crate::checkpoint::Format;
use crate::convert::{Compared, Depth, Part, Report, Request};
use crate::loader::Outcome;
use crate::report::Report as Checked;
use crate::report::style::{Role, Style};

/// The text of a conversion; that of the check stands below it.
pub fn convert(request: &Request, report: &Report, checked: Option<&Checked>, style: Style) -> String {
    let mut out = String::new();
    if report.format == Some(Format::TorchDist) {
        shared_keys(&mut out, request, checked, style);
        return out;
    }
    rows(&mut out, request, report, style);
    let seconds = report.elapsed.as_secs_f64();
    let (word, role) = match request.part {
        Part::Plan => ("planned", Role::Info),
        _ if report.complete => ("converted", Role::Good),
        _ => ("written", Role::Info),
    };
    let files = count(report.files as u64, "file");
    let what = match request.part {
        Part::Plan => format!("{files}, {} would be written to {}", bytes(report.bytes), request.target.display()),
        Part::Shard { index, of } => format!(
            "share {index} of {of}: {files} in {}; when all shares are there, run it with --finish",
            request.target.display()
        ),
        Part::All | Part::Finish => format!("{files} in {}", request.target.display()),
    };
    let kept = if report.kept > 0 && request.part != Part::Finish {
        format!(", {} there already", report.kept)
    } else {
        String::new()
    };
    out.push_str(&format!("{}: {}{kept} ", style.paint(role, word), printable(&what)));
    out.push_str(&style.paint(Role::Quiet, &format!("({seconds:.1} s)")));
    out.push('\n');
    out
}

fn rows(out: &mut String, request: &Request, report: &Report, style: Style) {
    if let Some((from, to)) = &report.layouts {
        prose(out, style, "experts", &change(from, to));
    }
    if let Some((from, to)) = &report.implementations {
        prose(out, style, "layers", &change(from, to));
    }
    for (option, prefix) in [("without prefix", &request.strip_prefix), ("with prefix", &request.add_prefix)] {
        if let Some(prefix) = prefix {
            prose(out, style, option, prefix);
        }
    }
    if !report.saved.is_empty() {
        let saved: Vec<String> = report.saved.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        prose(out, style, "saved args", &saved.join(", "));
    }
    if let Some((number, why)) = &report.dropped_states {
        prose(out, style, "left out", &format!("{number} x {why}"));
    }
    if let Some(option) = &report.without_optimizer {
        prose(out, style, "left out", &format!("the optimizer's state: the launch needs {option}"));
    }
    if report.compared != Compared::default() {
        let Compared { tensors, experts, elements } = report.compared;
        let depth = if request.depth == Depth::Full { "all" } else { "sampled" };
        let text = format!(
            "{} with the source ({} of experts), {depth} {}",
            count(tensors, "tensor"),
            super::rows::thousands(experts),
            count(elements, "element")
        );
        prose(out, style, "compared", &text);
    }
}

fn change(from: &str, to: &str) -> String {
    if from == to { format!("{to}, as before") } else { format!("{from} -> {to}") }
}

fn shared_keys(out: &mut String, request: &Request, checked: Option<&Checked>, style: Style) {
    let text = "none needed: in torch_dist all layouts of the experts have the same keys and the same elements";
    prose(out, style, "conversion", text);
    let (word, role, text) = match checked.map(|checked| checked.outcome) {
        Some(Outcome::Loads) => ("nothing to do", Role::Good, "the launch loads it as it is".to_owned()),
        Some(_) => ("nothing written", Role::Warning, "the launch does not load it, for another reason".to_owned()),
        None => {
            let text = format!("give the launch, to see that it loads {}", request.source.display());
            ("nothing written", Role::Info, text)
        }
    };
    out.push_str(&format!("{}: {}\n", style.paint(role, word), printable(&text)));
}

/// Bytes in a unit that fits.
fn bytes(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1000.0 && unit + 1 < units.len() {
        size /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{size:.1} {}", units[unit]) }
}
