//! `set` and `shopt`.

use std::rc::Rc;

use super::machine::{Machine, Run};
use super::state::Field;

impl Machine<'_> {
    /// `set -euo pipefail`, `set -- WORDS`
    pub(super) fn set_options(&mut self, arguments: &[Field]) -> Run {
        let mut at = 0;
        self.succeed(true);
        while let Some(field) = arguments.get(at) {
            let word = field.text.as_str();
            let on = word.starts_with('-');
            if word == "--" || !(on || word.starts_with('+')) || word.len() < 2 {
                at += usize::from(word == "--" || word == "-");
                self.state.positional = Rc::new(arguments[at..].to_vec());
                return Ok(());
            }
            at += 1;
            for letter in word[1..].chars() {
                let flags = &mut self.state.flags;
                match letter {
                    'e' => flags.errexit = on,
                    'u' => flags.nounset = on,
                    'f' => flags.noglob = on,
                    'a' => flags.allexport = on,
                    'o' => {
                        match arguments.get(at).map(|field| field.text.as_str()) {
                            Some("errexit") => flags.errexit = on,
                            Some("nounset") => flags.nounset = on,
                            Some("noglob") => flags.noglob = on,
                            Some("allexport") => flags.allexport = on,
                            Some("pipefail") => flags.pipefail = on,
                            _ => {}
                        }
                        at += 1;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// `shopt -s NAMES`, `shopt -u NAMES`, `shopt -q NAMES`
    pub(super) fn shopt(&mut self, arguments: &[Field]) -> Run {
        let mut change = None;
        self.succeed(true);
        for field in arguments {
            let flags = &mut self.state.flags;
            let flag = match field.text.as_str() {
                "-s" => {
                    change = Some(true);
                    continue;
                }
                "-u" => {
                    change = Some(false);
                    continue;
                }
                "nullglob" => &mut flags.nullglob,
                "failglob" => &mut flags.failglob,
                "dotglob" => &mut flags.dotglob,
                "nocasematch" => &mut flags.nocasematch,
                "inherit_errexit" => &mut flags.inherit_errexit,
                "lastpipe" => &mut flags.lastpipe,
                _ => continue,
            };
            match change {
                Some(on) => *flag = on,
                None if !*flag => self.state.status = Ok(1),
                None => {}
            }
        }
        Ok(())
    }
}
