//! Links between pages.

use std::fs;
use std::path::Path;

use super::{blocks, pages, root};

/// The targets of a page's links, outside of its blocks.
fn targets(page: &str) -> Vec<String> {
    let mut prose = page.to_owned();
    for (_, _, text) in blocks(page) {
        prose = prose.replacen(&text, "", 1);
    }
    prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect()
}

#[test]
fn links_lead_to_files() {
    for path in pages() {
        let page = fs::read_to_string(&path).expect("a page");
        let folder = path.parent().expect("a folder");
        for target in targets(&page) {
            if target.contains("://") || target.starts_with('#') {
                continue;
            }
            let file = target.split('#').next().unwrap_or("");
            assert!(folder.join(file).exists(), "{}: {target} leads nowhere", path.display());
        }
    }
}

#[test]
fn the_book_has_every_page() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).expect("SUMMARY.md");
    let listed = targets(&summary);
    for path in pages() {
        let Ok(inside) = path.strip_prefix(&docs) else { continue };
        let inside = inside.to_str().expect("UTF-8");
        if inside != "SUMMARY.md" {
            let times = listed.iter().filter(|target| *target == inside).count();
            assert_eq!(times, 1, "{inside} stands {times} times in SUMMARY.md: mdbook wants each page once");
        }
    }
    assert!(Path::new(&root().join("book.toml")).is_file());
}
