//! Source text made fit for a snippet: one place a line, long lines cut around it, control characters made visible.

use std::collections::BTreeMap;

use textwrap::core::display_width;

/// The text to print and where the places went.
pub(super) struct Cropped {
    /// As many lines as the source has; those far from every place are empty.
    pub(super) text: String,
    /// The places, in the order given; `None` for one that does not lie in the text.
    pub(super) places: Vec<Option<Place>>,
}

/// A place in the cropped text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// First byte in the cropped text.
    pub(super) start: usize,
    /// One past the last byte in the cropped text.
    pub(super) end: usize,
    /// The column in the source, counted from 0.
    pub(super) column: usize,
    /// The column on the screen of the place's middle.
    pub(super) middle: usize,
}

/// Crops lines to `width` columns, with `more` where something is left out. A place that spans lines is cut at the end of its first one.
pub(super) fn crop(text: &str, places: &[(usize, usize)], width: usize, more: &str) -> Cropped {
    let mut wanted: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, &(start, end)) in places.iter().enumerate() {
        if text.get(start..end).is_some() {
            let line = text[..start].matches('\n').count();
            wanted.entry(line).or_default().push(index);
            for near in [line.saturating_sub(1), line + 1] {
                wanted.entry(near).or_default();
            }
        }
    }
    let mut cropped = Cropped { text: String::new(), places: vec![None; places.len()] };
    let mut line_start = 0;
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            cropped.text.push('\n');
        }
        if let Some(indices) = wanted.get(&number) {
            let spans: Vec<(usize, usize)> = indices
                .iter()
                .map(|&i| (places[i].0 - line_start, (places[i].1 - line_start).min(line.trim_end_matches('\r').len())))
                .collect();
            let base = cropped.text.len();
            let window = Window::around(line.trim_end_matches('\r'), spans.first().copied(), width, more);
            cropped.text.push_str(&window.text);
            for (&index, (start, end)) in indices.iter().zip(spans) {
                cropped.places[index] = window.place(line, start, end.max(start), base);
            }
        }
        line_start += line.len() + 1;
    }
    cropped
}

/// A part of one line, with the way from its bytes to the printed ones.
struct Window {
    text: String,
    /// Byte in the line and byte in `text`, for every printed character and the end.
    bytes: Vec<(usize, usize)>,
}

impl Window {
    fn around(line: &str, place: Option<(usize, usize)>, width: usize, more: &str) -> Self {
        let shown: Vec<(usize, String)> = line.char_indices().map(|(at, c)| (at, shown(c))).collect();
        let columns = |range: &[(usize, String)]| range.iter().map(|(_, text)| display_width(text)).sum::<usize>();
        let index = |byte: usize| shown.iter().position(|(at, _)| *at >= byte).unwrap_or(shown.len());
        let (mut first, mut last) = (0, shown.len());
        if columns(&shown) > width {
            let (start, end) = place.map_or((0, 0), |(start, end)| (index(start), index(end)));
            if columns(&shown[..end]) + more.len() > width {
                first = start;
                while first > 0 && columns(&shown[first - 1..start]) <= width / 3 {
                    first -= 1;
                }
            }
            last = first;
            while last < shown.len() && columns(&shown[first..=last]) <= width.saturating_sub(2 * display_width(more)) {
                last += 1;
            }
        }
        let mut window = Self { text: String::new(), bytes: Vec::new() };
        window.text.push_str(if first > 0 { more } else { "" });
        for (at, text) in &shown[first..last] {
            window.bytes.push((*at, window.text.len()));
            window.text.push_str(text);
        }
        window.bytes.push((shown.get(last).map_or(line.len(), |(at, _)| *at), window.text.len()));
        window.text.push_str(if last < shown.len() { more } else { "" });
        window
    }

    fn place(&self, line: &str, start: usize, end: usize, base: usize) -> Option<Place> {
        let to = |byte: usize| self.bytes.iter().find(|(at, _)| *at >= byte).or(self.bytes.last()).map(|pair| pair.1);
        let (from, until) = (to(start)?, to(end)?);
        let middle = display_width(self.text.get(..from)?) + display_width(self.text.get(from..until)?) / 2;
        Some(Place { start: base + from, end: base + until, column: line.get(..start)?.chars().count(), middle })
    }
}

/// The character as it is printed.
fn shown(c: char) -> String {
    match c {
        '\t' => "    ".to_owned(),
        c if c.is_control() => '\u{fffd}'.to_string(),
        c => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, word: &str, width: usize) -> (String, Place) {
        let start = text.find(word).expect("the word");
        let cropped = crop(text, &[(start, start + word.len())], width, "…");
        let place = cropped.places[0].expect("a place");
        assert_eq!(&cropped.text[place.start..place.end], word);
        (cropped.text, place)
    }

    #[test]
    fn short_lines_stay() {
        let (text, place) = check("a\nb --flag\nc\nd", "--flag", 40);
        assert_eq!(text, "a\nb --flag\nc\n");
        assert_eq!((place.column, place.middle), (2, 5));
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let long = format!("{} --flag {}", "x".repeat(300), "y".repeat(300));
        let (text, place) = check(&long, "--flag", 40);
        assert!(display_width(&text) <= 40, "{text}");
        assert!(text.starts_with('…') && text.ends_with('…'));
        assert_eq!(place.column, 301);
        let (text, _) = check(&format!("--flag {}", "y".repeat(300)), "--flag", 40);
        assert!(text.starts_with("--flag yyy") && text.ends_with("y…"));
    }

    #[test]
    fn nothing_steers_the_terminal_and_odd_places_are_left_out() {
        let cropped = crop("a\u{1b}[31m\tb\r\nü", &[(0, 3), (4, 400), (11, 12)], 40, "…");
        assert_eq!(cropped.text, "a\u{fffd}[31m    b\nü");
        assert!(cropped.places[0].is_some() && cropped.places[1].is_none());
    }
}
