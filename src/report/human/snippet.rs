//! The user's own lines, with the places underlined.

use std::fmt;
use std::sync::Arc;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use owo_colors::Style as Ansi;

use super::crop::{Place, crop};
use super::rows;
use crate::diagnose::Label;
use crate::report::style::{Role, Style};
use crate::text::Source;

/// More places than this are named and not shown.
const MOST_PLACES: usize = 4;

/// Renders the places, those of one text together.
pub(super) fn render(out: &mut String, style: Style, severity: Role, labels: &[Label]) {
    let (labels, more) = labels.split_at(labels.len().min(MOST_PLACES));
    let mut sources: Vec<&Arc<Source>> = Vec::new();
    for label in labels {
        if !sources.iter().any(|source| Arc::ptr_eq(source, &label.span.source)) {
            sources.push(&label.span.source);
        }
    }
    for source in sources {
        let here: Vec<&Label> = labels.iter().filter(|label| Arc::ptr_eq(source, &label.span.source)).collect();
        of_source(out, style, severity, source, &here);
    }
    for label in more {
        let (line, column) = label.span.line_column();
        let place = format!("{}:{line}:{column}", label.span.source.name());
        rows::prose(out, style, "also", &format!("{place}: {}", label.text));
    }
}

fn of_source(out: &mut String, style: Style, severity: Role, source: &Source, labels: &[&Label]) {
    let gutter = source.text.lines().count().to_string().len() + 5;
    let width = style.columns() - gutter;
    let spans: Vec<(usize, usize)> = labels.iter().map(|label| (label.span.start, label.span.end)).collect();
    let cropped = crop(&source.text, &spans, width, style.ellipsis());
    let mut snippet =
        Snippet { name: rows::printable(&source.name()), text: cropped.text, places: Vec::new(), labels: Vec::new() };
    for (label, place) in labels.iter().zip(cropped.places) {
        let Some(place) = place else { continue };
        let room = width.saturating_sub(place.middle + 5).clamp(24, 60);
        let text = rows::wrap(&rows::printable(&label.text), room).join("\n");
        let span = SourceSpan::from((place.start, place.end - place.start));
        let text = (!text.is_empty()).then_some(text);
        snippet.labels.push(if snippet.labels.is_empty() {
            LabeledSpan::new_primary_with_span(text, span)
        } else {
            LabeledSpan::new_with_span(text, span)
        });
        snippet.places.push(place);
    }
    if snippet.labels.is_empty() {
        return;
    }
    let theme = theme(style, severity);
    let corner = format!("{}{}", theme.characters.ltop, theme.characters.hbar);
    let handler = GraphicalReportHandler::new_themed(theme)
        .without_cause_chain()
        .without_syntax_highlighting()
        .with_urls(false)
        .with_context_lines(1)
        .with_width(style.columns());
    let mut text = String::new();
    if handler.render_report(&mut text, &snippet).is_ok() {
        // The handler begins with a line for a message, which our title has already said.
        for line in text.lines().skip_while(|line| !line.contains(&corner)) {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

fn theme(style: Style, severity: Role) -> GraphicalTheme {
    let mut styles = if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    if style.color {
        let first = match severity {
            Role::Error => Ansi::new().red().bold(),
            Role::Warning => Ansi::new().yellow().bold(),
            _ => Ansi::new().blue().bold(),
        };
        styles.highlights = vec![first, Ansi::new().cyan()];
        styles.link = Ansi::new().cyan();
    }
    let characters = if style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    GraphicalTheme { characters, styles }
}

/// What the handler wants: cropped lines, and the columns that the places have in the real ones.
#[derive(Debug)]
struct Snippet {
    name: String,
    text: String,
    places: Vec<Place>,
    labels: Vec<LabeledSpan>,
}

impl fmt::Display for Snippet {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Snippet {}

impl Diagnostic for Snippet {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

impl SourceCode for Snippet {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        // Without context lines it is the place itself that is read, for the `file:line:column` above the lines.
        let place = self.places.iter().find(|place| place.start == span.offset() && before + after == 0);
        let column = place.map_or(inner.column(), |place| place.column);
        let (data, range) = (inner.data(), *inner.span());
        // The library counts from the top of the text, and would then show all lines between places that are far apart.
        let (line, lines) = (inner.line(), data.split_inclusive(|byte| *byte == b'\n').count());
        Ok(Box::new(MietteSpanContents::new_named(self.name.clone(), data, range, line, column, lines)))
    }
}
