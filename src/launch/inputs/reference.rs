//! References in values: `$NAME`, `${NAME:default}`, `${path.in.the.file}`.

/// What comes of a text with references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The text with all of them put in.
    Text(String),
    /// A variable that nobody gave.
    Missing(String),
    /// A reference that is not followed, and why.
    Other(String),
}

/// A variable's value by its name.
pub type Lookup<'l> = dyn Fn(&str) -> Option<String> + 'l;

/// Puts in the variables of a shell: `$NAME` and `${NAME}`.
pub fn shell(text: &str, variable: &Lookup<'_>) -> Found {
    let mut found = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        found.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, behind) = match after.strip_prefix('{') {
            Some(inner) => match inner.split_once('}') {
                Some((name, behind)) => (name, behind),
                None => return Found::Other("a `${` without its end".to_owned()),
            },
            None => after.split_at(after.find(|c| !is_name(c)).unwrap_or(after.len())),
        };
        if name.is_empty() || !name.chars().all(is_name) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Found::Other(format!("`{}` is for a shell to expand", &rest[at..]));
        }
        match variable(name) {
            Some(value) => found.push_str(&value),
            None => return Found::Missing(name.to_owned()),
        }
        rest = behind;
    }
    Found::Text(found + rest)
}

/// Puts in `${NAME}` and `${NAME:default}`.
pub fn with_defaults(text: &str, variable: &Lookup<'_>) -> Found {
    let mut found = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        // The innermost opening counts: a name has no braces in it.
        let Some(end) = rest[at..].find('}').map(|end| at + end) else { break };
        let open = rest[..end].rfind("${").unwrap_or(at);
        found.push_str(&rest[..open]);
        let inside = &rest[open + 2..end];
        let (name, default) = inside.split_once(':').map_or((inside, None), |(name, default)| (name, Some(default)));
        match variable(name).or_else(|| default.map(str::to_owned)) {
            Some(value) => found.push_str(&value),
            None => return Found::Missing(name.to_owned()),
        }
        rest = &rest[end + 1..];
    }
    Found::Text(found + rest)
}

/// Puts in OmegaConf's references: nodes of the file by `node`, variables by `${oc.env:NAME}` and `${oc.env:NAME,default}`.
pub fn omegaconf(text: &str, variable: &Lookup<'_>, node: &dyn Fn(&str) -> Found) -> Found {
    let mut found = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let Some(end) = rest[at..].find('}').map(|end| at + end) else { break };
        let inside = &rest[at + 2..end];
        if inside.contains("${") {
            return Found::Other("a reference inside of a reference is not followed".to_owned());
        }
        found.push_str(&rest[..at]);
        let value = match inside.split_once(':') {
            None => node(inside.trim()),
            Some(("oc.env", what)) => {
                let (name, default) =
                    what.split_once(',').map_or((what, None), |(name, default)| (name, Some(default)));
                match variable(name.trim()).or_else(|| default.map(|default| default.trim().to_owned())) {
                    Some(value) => Found::Text(value),
                    None => Found::Missing(name.trim().to_owned()),
                }
            }
            Some((resolver, _)) => Found::Other(format!("the resolver `{resolver}` is the program's own")),
        };
        match value {
            Found::Text(value) => found.push_str(&value),
            other => return other,
        }
        rest = &rest[end + 1..];
    }
    Found::Text(found + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str) -> Option<String> {
        (name == "A").then(|| "1".to_owned())
    }

    #[test]
    fn references_are_put_in_as_each_program_does() {
        let text = |text: &str| Found::Text(text.to_owned());
        assert_eq!(shell("$A/${A}_x$", &set), Found::Other("`$` is for a shell to expand".to_owned()));
        assert_eq!(shell("$A/${A}_x", &set), text("1/1_x"));
        assert_eq!(shell("${B}", &set), Found::Missing("B".to_owned()));
        assert_eq!(with_defaults("${A:7}-${B:x y}-${B:}", &set), text("1-x y-"));
        assert_eq!(with_defaults("${B}", &set), Found::Missing("B".to_owned()));
        let node =
            |path: &str| if path == "m.n" { Found::Text("8".to_owned()) } else { Found::Missing(path.to_owned()) };
        assert_eq!(omegaconf("${m.n}/${oc.env:B,2}", &set, &node), text("8/2"));
        assert!(matches!(omegaconf("${mul:1,2}", &set, &node), Found::Other(_)));
    }
}
