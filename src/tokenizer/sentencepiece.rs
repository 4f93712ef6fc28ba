//! The pieces of a SentencePiece model (google/sentencepiece, src/sentencepiece_model.proto), by a bounded walk
//! through its protocol buffer.

use std::collections::HashSet;

use crate::checkpoint::Problem;

/// `ModelProto.SentencePiece.Type.CONTROL`.
const CONTROL: u64 = 3;
/// `ModelProto.pieces` and `ModelProto.trainer_spec`.
const PIECES: u64 = 1;
const TRAINER: u64 = 2;
/// `TrainerSpec.pad_piece`, `bos_piece`, `eos_piece`, with what they are where the model does not say.
const CONTROL_PIECES: [(u64, &str); 3] = [(48, "<pad>"), (46, "<s>"), (47, "</s>")];

/// The pieces of a model.
pub(super) struct Pieces {
    /// All of them.
    pub(super) names: HashSet<String>,
    /// The control pieces among them.
    control: HashSet<String>,
    /// What padding, begin and end are called.
    called: [String; 3],
}

impl Pieces {
    /// Those of `stand_ins` (for padding, begin and end) that the model has no control piece for.
    pub(super) fn control_absent(&self, stand_ins: &[String]) -> Vec<String> {
        let absent = |(name, _): &(&String, &String)| !self.control.contains(*name);
        self.called.iter().zip(stand_ins).filter(absent).map(|(_, stand_in)| stand_in.clone()).collect()
    }
}

/// Reads a model.
pub(super) fn pieces(bytes: &[u8]) -> Result<Pieces, Problem> {
    let mut names = HashSet::new();
    let mut control = HashSet::new();
    let mut called = CONTROL_PIECES.map(|(_, name)| name.to_owned());
    for field in fields(bytes) {
        match field? {
            (PIECES, Field::Bytes(piece)) => {
                let (mut name, mut kind) = (String::new(), 0);
                for field in fields(piece) {
                    match field? {
                        (1, Field::Bytes(text)) => name = text_of(text)?,
                        (3, Field::Number(number)) => kind = number,
                        _ => {}
                    }
                }
                if kind == CONTROL {
                    control.insert(name.clone());
                }
                names.insert(name);
            }
            (TRAINER, Field::Bytes(trainer)) => {
                for field in fields(trainer) {
                    let (number, Field::Bytes(text)) = field? else { continue };
                    if let Some(at) = CONTROL_PIECES.iter().position(|(field, _)| *field == number) {
                        called[at] = text_of(text)?;
                    }
                }
            }
            _ => {}
        }
    }
    if names.is_empty() {
        return Err(broken());
    }
    Ok(Pieces { names, control, called })
}

fn broken() -> Problem {
    Problem::Unreadable("it is not a SentencePiece model".to_owned())
}

fn text_of(bytes: &[u8]) -> Result<String, Problem> {
    String::from_utf8(bytes.to_vec()).map_err(|_| broken())
}

enum Field<'b> {
    Number(u64),
    Bytes(&'b [u8]),
    Other,
}

/// The fields of a message with their numbers.
fn fields(mut rest: &[u8]) -> impl Iterator<Item = Result<(u64, Field<'_>), Problem>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = field(&mut rest).ok_or_else(broken);
        if field.is_err() {
            rest = &[];
        }
        Some(field)
    })
}

fn field<'b>(rest: &mut &'b [u8]) -> Option<(u64, Field<'b>)> {
    let tag = number(rest)?;
    let field = match tag & 7 {
        0 => Field::Number(number(rest)?),
        1 => take(rest, 8).map(|_| Field::Other)?,
        2 => {
            let length = usize::try_from(number(rest)?).ok()?;
            Field::Bytes(take(rest, length)?)
        }
        5 => take(rest, 4).map(|_| Field::Other)?,
        _ => return None,
    };
    Some((tag >> 3, field))
}

fn take<'b>(rest: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *take(rest, 1)?.first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
