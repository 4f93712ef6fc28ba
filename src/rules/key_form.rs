//! Forms of keys such as `{layer}.experts.{expert}.weight`: matching and writing.

use std::sync::Arc;

use serde::{Deserialize, Deserializer};

/// A compiled form. `{layer}` is any text, `{expert}` a number without leading zeros, `{rest}` the text behind.
#[derive(Debug, Clone)]
pub struct KeyForm {
    parts: Arc<[Part]>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Layer,
    Expert,
    Rest,
}

/// Digits of an expert's number at most: every number of them fits.
const DIGITS: usize = 9;

/// What a key has in the places of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Places<'k> {
    /// The text before.
    pub layer: &'k str,
    /// The expert's number.
    pub expert: Option<u64>,
    /// The last part.
    pub rest: &'k str,
}

impl KeyForm {
    /// Compiles a form.
    ///
    /// # Errors
    /// When the text has another place in braces.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut left = text;
        while let Some((before, place)) = left.split_once('{') {
            let (place, behind) = place.split_once('}').unwrap_or((place, ""));
            parts.push(Part::Text(before.to_owned()));
            parts.push(match place {
                "layer" => Part::Layer,
                "expert" => Part::Expert,
                "rest" => Part::Rest,
                _ => return Err(format!("`{text}`: a key has only the places {{layer}}, {{expert}} and {{rest}}")),
            });
            left = behind;
        }
        parts.push(Part::Text(left.to_owned()));
        Ok(Self { parts: parts.into() })
    }

    /// What a key has in the form's places, if it has this form. Of several ways, the one with the longest text first.
    pub fn places<'k>(&self, key: &'k str) -> Option<Places<'k>> {
        matched(&self.parts, key)
    }

    /// Whether the form has a place for an expert's number.
    pub fn has_expert(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Expert))
    }

    /// The key with these in the form's places.
    pub fn write(&self, places: Places<'_>) -> String {
        let mut key = String::new();
        for part in self.parts.iter() {
            match part {
                Part::Text(text) => key.push_str(text),
                Part::Layer => key.push_str(places.layer),
                Part::Expert => key.push_str(&places.expert.unwrap_or(0).to_string()),
                Part::Rest => key.push_str(places.rest),
            }
        }
        key
    }
}

fn matched<'k>(parts: &[Part], key: &'k str) -> Option<Places<'k>> {
    let Some((part, behind)) = parts.split_first() else {
        return key.is_empty().then(Places::default);
    };
    match part {
        Part::Text(text) => matched(behind, key.strip_prefix(text.as_str())?),
        Part::Expert => {
            let digits = key.bytes().take_while(u8::is_ascii_digit).count();
            let (number, left) = key.split_at(digits);
            if digits > DIGITS || (digits > 1 && number.starts_with('0')) {
                return None;
            }
            let expert = Some(number.parse().ok()?);
            Some(Places { expert, ..matched(behind, left)? })
        }
        Part::Layer | Part::Rest => {
            let ends = key.char_indices().map(|(start, char)| start + char.len_utf8());
            let (places, end) = ends.rev().find_map(|end| Some((matched(behind, &key[end..])?, end)))?;
            let text = &key[..end];
            Some(if matches!(part, Part::Layer) {
                Places { layer: text, ..places }
            } else {
                Places { rest: text, ..places }
            })
        }
    }
}

impl<'de> Deserialize<'de> for KeyForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_apart_and_put_together() {
        let form = KeyForm::new("{layer}.experts.{expert}.w").expect("a form");
        let places = form.places("a.0.experts.12.w").expect("its form");
        assert_eq!((places.layer, places.expert), ("a.0", Some(12)));
        assert_eq!(form.write(places), "a.0.experts.12.w");
        for other in ["a.experts.012.w", "a.experts.w", "a.experts.1.w.x", ".experts.1.w", "a.experts.1xw"] {
            assert_eq!(form.places(other), None, "{other}");
        }
        assert!(KeyForm::new("{other}").is_err());
    }
}
