//! OSC 8 links of the places in a report for people, for terminals that can open them.

use std::path::Path;

use crate::launch::Launch;

/// The text with a link behind each `[file:line:column]`. `directory` is what relative paths start from.
pub fn add(text: &str, launch: &Launch, directory: &Path) -> String {
    let mut text = text.to_owned();
    for source in &launch.sources {
        let Some(path) = &source.path else { continue };
        let Some(url) = url(&directory.join(path)) else { continue };
        let open = format!("[{}:", source.name());
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find(&open) {
            let Some(end) = rest[at..].find(']') else { break };
            let inside = &rest[at + 1..at + end];
            out.push_str(&rest[..=at]);
            out.push_str(&format!("\u{1b}]8;;{url}\u{1b}\\{inside}\u{1b}]8;;\u{1b}\\"));
            rest = &rest[at + end..];
        }
        out.push_str(rest);
        text = out;
    }
    text
}

/// `file:` and the path; none where it is not Unicode.
fn url(path: &Path) -> Option<String> {
    let mut url = "file://".to_owned();
    for byte in path.to_str()?.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => url.push(char::from(byte)),
            byte => url.push_str(&format!("%{byte:02X}")),
        }
    }
    Some(url)
}
