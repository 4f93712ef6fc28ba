use proptest::prelude::*;

use super::*;

fn lines(keys: &[String]) -> Vec<String> {
    fold(keys).iter().map(Pattern::to_string).collect()
}

fn keys(patterns: &[Pattern]) -> Vec<String> {
    let mut keys: Vec<String> = patterns.iter().flat_map(Pattern::keys).collect();
    keys.sort();
    keys
}

/// Reads a printed pattern as a person would, knowing nothing of how it was made.
fn expand(text: &str) -> Vec<String> {
    let Some(open) = text.find('{') else { return vec![text.to_owned()] };
    let close = text.find('}').expect("a closing brace");
    let mut numbers = Vec::new();
    for item in text[open + 1..close].split(',') {
        let ends: Vec<u64> = item.split("..").map(|n| n.parse().expect("a number")).collect();
        match ends[..] {
            [n] => numbers.push(n),
            [first, last] => numbers.extend(first..=last),
            [first, last, step] => numbers.extend((first..=last).step_by(step as usize)),
            _ => panic!("{item}"),
        }
    }
    let rest = expand(&text[close + 1..]);
    numbers.iter().flat_map(|n| rest.iter().map(move |rest| format!("{}{n}{rest}", &text[..open]))).collect()
}

#[test]
fn a_full_product_is_one_line() {
    let mut keys = Vec::new();
    for layer in 0..32 {
        for expert in 0..8 {
            for half in 1..=2 {
                keys.push(format!("decoder.layers.{layer}.mlp.experts.local_experts.{expert}.linear_fc{half}.weight"));
            }
        }
    }
    let patterns = fold(&keys);
    assert_eq!(
        patterns.iter().map(Pattern::to_string).collect::<Vec<_>>(),
        ["decoder.layers.{0..31}.mlp.experts.local_experts.{0..7}.linear_fc{1,2}.weight"]
    );
    assert_eq!(patterns[0].count(), 512);
}

#[test]
fn a_hole_is_never_papered_over() {
    let mut keys: Vec<String> = (0..4).flat_map(|l| (0..3).map(move |e| format!("l{l}.e{e}"))).collect();
    keys.retain(|key| key != "l2.e1");
    assert_eq!(lines(&keys), ["l{0,1,3}.e{0..2}", "l2.e{0,2}"]);
}

#[test]
fn sets_are_lists_runs_and_steps() {
    let of = |numbers: &[u64]| lines(&numbers.iter().map(|n| format!("x{n}")).collect::<Vec<_>>());
    assert_eq!(of(&[5]), ["x5"]);
    assert_eq!(of(&[0, 1]), ["x{0,1}"]);
    assert_eq!(of(&[0, 1, 2, 3, 5]), ["x{0..3,5}"]);
    assert_eq!(of(&[0, 2, 4]), ["x{0,2,4}"]);
    assert_eq!(of(&[0, 2, 4, 6]), ["x{0..6..2}"]);
    assert_eq!(of(&[0, u64::MAX]), ["x{0,18446744073709551615}"]);
}

#[test]
fn leading_zeros_are_text() {
    let keys: Vec<String> = (0..12).map(|rank| format!("mp_rank_00_{rank:03}")).collect();
    assert_eq!(lines(&keys), ["mp_rank_00_00{0..9}", "mp_rank_00_0{10,11}"]);
}

#[test]
fn odd_keys_stay_themselves() {
    for key in ["", "{0..3}", "a\0b", "\u{1b}[31m", "99999999999999999999999", "1.2.3.4.5.6.7.8.9.10.11", "٣"] {
        let patterns = fold([key]);
        assert_eq!(keys(&patterns), [key], "{key:?}");
        assert!(!patterns[0].to_string().contains(char::is_control), "{key:?}");
    }
    assert_eq!(fold(["{0..3}"])[0].to_string(), "\\{0..3\\}");
}

#[test]
fn attributes_keep_lines_apart() {
    let items = (0..4).map(|n| (format!("l{n}.w"), if n < 2 { "a" } else { "b" }));
    let lines: Vec<String> = fold_by(items).iter().map(|(p, a)| format!("{p} {a}")).collect();
    assert_eq!(lines, ["l{0,1}.w a", "l{2,3}.w b"]);
}

#[test]
fn a_million_keys_are_no_work() {
    let keys: Vec<String> =
        (0..1_000_000).map(|n| format!("layers.{}.experts.{}.fc{}.w", n / 5000, n % 5000 / 2, n % 2 + 1)).collect();
    let start = std::time::Instant::now();
    let patterns = fold(&keys);
    // Under a second where it is measured (docs); the bound here only catches work that grows with the square.
    assert!(start.elapsed().as_secs() < 20);
    assert_eq!(patterns[0].to_string(), "layers.{0..199}.experts.{0..2499}.fc{1,2}.w");
}

fn any_keys() -> impl Strategy<Value = Vec<String>> {
    let near = (0..4u32, 0..5u32, 0..3u32, "[ab]").prop_map(|(l, e, h, s)| format!("l.{l}.e{e}.{s}{h:02}"));
    let wild = "[a.0-3]{0,8}";
    prop::collection::vec(prop_oneof![4 => near, 1 => wild.prop_map(String::from)], 0..80)
}

proptest! {
    #[test]
    fn unfolding_gives_back_the_keys(input in any_keys()) {
        let mut distinct = input.clone();
        distinct.sort();
        distinct.dedup();
        let patterns = fold(&input);
        prop_assert_eq!(&keys(&patterns), &distinct);
        prop_assert_eq!(patterns.iter().map(Pattern::count).sum::<u64>(), distinct.len() as u64);
        let mut read: Vec<String> = patterns.iter().flat_map(|p| expand(&p.to_string())).collect();
        read.sort();
        prop_assert_eq!(read, distinct);
    }

    #[test]
    fn order_and_repetition_change_nothing(input in any_keys(), swaps in any::<u64>()) {
        let mut other = input.clone();
        other.extend(input.iter().take(3).cloned());
        let len = other.len().max(1);
        for i in 0..other.len() {
            other.swap(i, (swaps.rotate_left(i as u32) as usize) % len);
        }
        prop_assert_eq!(fold(&input), fold(&other));
    }

    #[test]
    fn any_text_survives(input in prop::collection::vec(any::<String>(), 0..10)) {
        let mut distinct = input.clone();
        distinct.sort();
        distinct.dedup();
        prop_assert_eq!(keys(&fold(&input)), distinct);
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(keys in prop::collection::btree_set("[a-c.{}\\\\\n\u{1}ü]{0,3}[0-9]{0,2}[.x]{0,1}[0-9]{0,2}", 1..40)) {
        for pattern in fold(&keys) {
            let read = Pattern::parse(&pattern.to_string(), 1 << 20).map(|pattern| pattern.keys());
            prop_assert_eq!(read, Some(pattern.keys()));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a{},.\\\\0-9u]{0,12}") {
        if let Some(pattern) = Pattern::parse(&text, 1000) {
            prop_assert!(pattern.count() <= 1000);
        }
    }
}

#[test]
fn what_stands_for_too_much_is_refused() {
    for text in [
        "a{0..99}{0..99}",
        "a{0..18446744073709551615}",
        "{0..18446744073709551615..2}",
        "{3..1}",
        "{1,1}",
        "{}",
        "{",
        "}",
    ] {
        assert_eq!(Pattern::parse(text, 1000), None, "{text}");
    }
    assert_eq!(Pattern::parse("a", 0), None);
}
