//! The grammar of redirections.

use std::cell::OnceCell;
use std::rc::Rc;

use super::ast::{At, Redirect, RedirectKind};
use super::parse::{Parsed, Parser, Waiting};

impl Parser {
    /// A redirection, if one starts here.
    pub(super) fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        let start = self.pos;
        while self.peek().is_ascii_digit() {
            self.pos += 1;
        }
        let descriptor = self.unit.str(At { start, end: self.pos }).parse().ok();
        let operator = ["&>>", "&>", "<<<", "<<-", "<<", "<&", "<>", "<", ">>", ">&", ">|", ">"]
            .into_iter()
            .find(|operator| self.starts(operator))
            .filter(|operator| !(operator.len() == 1 && self.byte(self.pos + 1) == b'('))
            .filter(|operator| !(operator.starts_with('&') && descriptor.is_some()));
        let Some(operator) = operator else {
            self.pos = start;
            return Ok(None);
        };
        self.pos += operator.len();
        self.blanks();
        if let "<<" | "<<-" = operator {
            let delimiter = self.word()?;
            let written = self.unit.str(delimiter.at).to_owned();
            let quoted = written.contains(['\'', '"', '\\']);
            let body = Rc::new(OnceCell::new());
            self.waiting.push(Waiting {
                body: body.clone(),
                delimiter: written.replace(['\'', '"', '\\'], ""),
                quoted,
                strip: operator == "<<-",
            });
            return Ok(Some(Redirect { descriptor, kind: RedirectKind::HereDocument(body) }));
        }
        let word = self.word()?;
        let kind = match operator {
            "<<<" => RedirectKind::HereString(word),
            "<" | "<>" => RedirectKind::Input(word),
            "<&" => RedirectKind::Duplicate { input: true, to: word },
            ">&" => RedirectKind::Duplicate { input: false, to: word },
            _ => RedirectKind::Output { append: operator.ends_with(">>"), both: operator.starts_with('&'), file: word },
        };
        Ok(Some(Redirect { descriptor, kind }))
    }
}
