//! A bar on standard error, where that is a terminal: bytes, bytes a second, time left.

use indicatif::{ProgressBar, ProgressStyle};

use crate::convert::Progress;

/// The bar.
pub(super) struct Bars(ProgressBar);

impl Bars {
    /// A bar that does not show before there is something to tell.
    pub(super) fn new() -> Self {
        let bar = ProgressBar::no_length();
        let template = "{wide_msg} {bytes}/{total_bytes} {bytes_per_sec} {eta} left [{bar:20}]";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bars {
    fn total(&self, bytes: u64) {
        self.0.set_length(bytes);
    }

    fn file(&self, name: &str) {
        self.0.set_message(name.to_owned());
    }

    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}
