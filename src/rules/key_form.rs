//! Forms of keys such as `{layer}.experts.{expert}.weight`: matching and writing.

use std::sync::Arc;

use regex::Regex;
use serde::{Deserialize, Deserializer};

/// A compiled form. `{layer}` is any text, `{expert}` a number without leading zeros, `{rest}` a last part without dots.
#[derive(Debug, Clone)]
pub struct KeyForm {
    text: Arc<str>,
    form: Regex,
}

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
        let escaped = regex::escape(text);
        let form = escaped
            .replace(r"\{layer\}", "(?<layer>.+)")
            .replace(r"\{expert\}", "(?<expert>0|[1-9][0-9]{0,8})")
            .replace(r"\{rest\}", "(?<rest>.+)");
        if form.contains(r"\{") {
            return Err(format!("`{text}`: a key has only the places {{layer}}, {{expert}} and {{rest}}"));
        }
        let form = Regex::new(&format!("^{form}$")).map_err(|error| error.to_string())?;
        Ok(Self { text: Arc::from(text), form })
    }

    /// What a key has in the form's places, if it has this form.
    pub fn places<'k>(&self, key: &'k str) -> Option<Places<'k>> {
        let found = self.form.captures(key)?;
        let text = |name| found.name(name).map_or("", |m| m.as_str());
        Some(Places {
            layer: text("layer"),
            expert: found.name("expert").and_then(|m| m.as_str().parse().ok()),
            rest: text("rest"),
        })
    }

    /// Whether the form has a place for an expert's number.
    pub fn has_expert(&self) -> bool {
        self.text.contains("{expert}")
    }

    /// The key with these in the form's places.
    pub fn write(&self, places: Places<'_>) -> String {
        let expert = places.expert.unwrap_or(0).to_string();
        self.text.replace("{expert}", &expert).replace("{rest}", places.rest).replace("{layer}", places.layer)
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
