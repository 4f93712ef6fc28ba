//! `while`, `until`, `for`. A loop that something unknown ends is followed for one round.

use super::ast::{List, Word};
use super::holes::Hole;
use super::machine::{Flow, Machine, Run};
use super::state::Field;

impl Machine<'_> {
    /// Runs a loop's body once; tells whether the loop goes on.
    fn body(&mut self, body: &List, pending: usize) -> Run<bool> {
        let result = self.run_list(body);
        let result = self.settle(pending, Flow::Continue(1), result);
        match result {
            Ok(()) | Err(Flow::Continue(1)) => Ok(true),
            Err(Flow::Break(1)) => Ok(false),
            Err(Flow::Break(n)) => Err(Flow::Break(n - 1)),
            Err(Flow::Continue(n)) => Err(Flow::Continue(n - 1)),
            Err(other) => Err(other),
        }
    }

    /// The end of a loop: states that left it early join.
    fn loop_end(&mut self, pending: usize, result: Run) -> Run {
        self.inside.loops = self.inside.loops.saturating_sub(1);
        let result = self.settle(pending, Flow::Break(1), result);
        for entry in self.pending.iter_mut().skip(pending) {
            match &mut entry.0 {
                Flow::Break(n) | Flow::Continue(n) => *n = n.saturating_sub(1).max(1),
                _ => {}
            }
        }
        result
    }

    pub(super) fn run_while(&mut self, until: bool, condition: &List, body: &List) -> Run {
        let pending = self.pending.len();
        self.inside.loops += 1;
        let mut status = Ok(0);
        let result = loop {
            let tested = match self.test(condition) {
                Ok(tested) => tested,
                Err(Flow::Break(1)) => break Ok(()),
                Err(flow) => break Err(flow),
            };
            match tested {
                Ok(code) if (code == 0) == until => {
                    self.state.status = status;
                    break Ok(());
                }
                Ok(_) => {}
                Err(hole) => {
                    break self.fork(hole, |machine| machine.body(body, pending).map(|_| ()), |_| Ok(()));
                }
            }
            match self.body(body, pending) {
                Ok(true) => status = self.state.status,
                Ok(false) => {
                    self.state.status = Ok(0);
                    break Ok(());
                }
                Err(flow) => break Err(flow),
            }
            // Something unknown decides when the loop ends: one round stands for all.
            if self.pending.len() > pending {
                break Ok(());
            }
        };
        self.loop_end(pending, result)
    }

    pub(super) fn run_for(&mut self, name: &str, words: Option<&[Word]>, body: &List) -> Run {
        let mut fields = Vec::new();
        match words {
            None => fields = self.state.positional.to_vec(),
            Some(words) => {
                for word in words {
                    fields.extend(self.fields(word)?);
                }
            }
        }
        let pending = self.pending.len();
        self.inside.loops += 1;
        self.state.status = Ok(0);
        let mut result = Ok(());
        for field in fields {
            result = self.for_round(name, field, body, pending);
            match result {
                Ok(()) => {}
                Err(Flow::Break(0)) => {
                    result = Ok(());
                    break;
                }
                Err(_) => break,
            }
        }
        self.loop_end(pending, result)
    }

    /// One round of a `for`; `Break(0)` stands for its end.
    fn for_round(&mut self, name: &str, field: Field, body: &List, pending: usize) -> Run {
        let round = |machine: &mut Self| -> Run {
            machine.set(name, field.text.clone(), false)?;
            if machine.body(body, pending)? { Ok(()) } else { Err(Flow::Break(0)) }
        };
        match Hole::in_text(field.text.as_str()).filter(|_| field.open) {
            Some(hole) => self.fork(hole, round, |_| Ok(())),
            None => round(self),
        }
    }

    pub(super) fn run_for_arithmetic(&mut self, [first, condition, step]: &[Option<Word>; 3], body: &List) -> Run {
        let pending = self.pending.len();
        if let Some(first) = first {
            // Its value does not matter, what it assigns does.
            let _ = self.arithmetic(first)?;
        }
        self.state.status = Ok(0);
        self.inside.loops += 1;
        let result = loop {
            let number = match condition.as_ref().map(|word| self.arithmetic(word)) {
                None => Ok(1),
                Some(Ok(number)) => number,
                Some(Err(flow)) => break Err(flow),
            };
            match number {
                Ok(0) => break Ok(()),
                Ok(_) => {}
                Err(hole) => {
                    break self.fork(hole, |machine| machine.body(body, pending).map(|_| ()), |_| Ok(()));
                }
            }
            match self.body(body, pending) {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(flow) => break Err(flow),
            }
            if let Some(step) = step
                && let Err(flow) = self.arithmetic(step)
            {
                break Err(flow);
            }
            self.step(1)?;
        };
        self.loop_end(pending, result)
    }
}
