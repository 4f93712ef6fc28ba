//! How many tokens a tokenizer's files hold: folders of the kinds that are read, and what is no tokenizer at all.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use moe_lint::rules::tokenizers::{self, Tokenizer};
use moe_lint::tokenizer::count;

/// The rule whose condition names that tokenizer type.
fn rule(kind: &str, version: &str) -> Arc<Tokenizer> {
    let rules = tokenizers::load(&version.parse().expect("a version")).expect("rules");
    rules.into_iter().find(|rule| rule.when.to_string().contains(&format!("'{kind}'"))).expect("a rule")
}

/// One field of a protocol buffer.
fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = varint(number << 3 | 2);
    out.extend(varint(bytes.len() as u64));
    out.extend(bytes);
    out
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn piece(name: &str, kind: u8) -> Vec<u8> {
    let inner = [field(1, name.as_bytes()), vec![0x15, 0, 0, 0, 0], vec![0x18, kind]].concat();
    field(1, &inner)
}

/// A SentencePiece model: an unknown piece, begin and end, and `words` more.
fn model(words: usize) -> Vec<u8> {
    let mut out = [piece("<unk>", 2), piece("<s>", 3), piece("</s>", 3)].concat();
    (0..words).for_each(|word| out.extend(piece(&format!("▁{word}"), 1)));
    out.extend(field(2, &field(46, b"<s>")));
    out
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("a file");
    path
}

#[test]
fn the_pieces_of_a_sentencepiece_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write(folder.path(), "tokenizer.model", model(100));
    for kind in ["Llama2Tokenizer", "GPTSentencePieceTokenizer"] {
        assert_eq!(count(&rule(kind, "0.12"), &path, 0).expect("a count"), 103, "{kind}");
    }
    // <CLS>, <SEP>, <EOD>, <MASK>, and <PAD>: the model has a begin and an end.
    assert_eq!(count(&rule("SentencePieceTokenizer", "0.12"), &path, 10).expect("a count"), 103 + 5 + 10);
    assert_eq!(count(&rule("SentencePieceTokenizer", "0.17"), &path, 0).expect("a count"), 103);
}

#[test]
fn the_members_of_a_vocabulary() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write(folder.path(), "vocab.json", r#"{"a": 0, "b": 1, "<|endoftext|>": 2}"#);
    assert_eq!(count(&rule("GPT2BPETokenizer", "0.8"), &path, 0).expect("a count"), 3);
}

#[test]
fn a_hugging_face_folder_counts_added_tokens_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = r#"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "</s>": 2}, "merges": []},
        "added_tokens": [{"id": 2, "content": "</s>"}, {"id": 3, "content": "<|im_end|>"}]}"#;
    write(folder.path(), "tokenizer.json", json);
    let rule = rule("HuggingFaceTokenizer", "0.12");
    assert_eq!(count(&rule, folder.path(), 0).expect("a count"), 4);
    let config = r#"{"added_tokens_decoder": {"3": {"content": "<|im_end|>"}}, "bos_token": null,
        "eos_token": "</s>", "pad_token": {"content": "<pad>"}, "additional_special_tokens": ["<x>"]}"#;
    write(folder.path(), "tokenizer_config.json", config);
    assert_eq!(count(&rule, folder.path(), 0).expect("a count"), 6);
    let unigram = r#"{"model": {"type": "Unigram", "vocab": [["a", 0.0], ["b", -1.5]]}}"#;
    write(folder.path(), "tokenizer.json", unigram);
    assert_eq!(count(&rule, folder.path(), 0).expect("a count"), 2 + 4);
}

#[test]
fn what_is_no_tokenizer_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut cut = model(100);
    cut.truncate(cut.len() - 3);
    for bytes in [&b""[..], b"version https://git-lfs", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", &cut] {
        let path = write(folder.path(), "broken", bytes);
        assert!(count(&rule("Llama2Tokenizer", "0.12"), &path, 0).is_err(), "{bytes:?}");
        assert!(count(&rule("GPT2BPETokenizer", "0.12"), &path, 0).is_err(), "{bytes:?}");
        assert!(count(&rule("HuggingFaceTokenizer", "0.12"), &path, 0).is_err(), "{bytes:?}");
    }
    assert!(count(&rule("Llama2Tokenizer", "0.12"), &folder.path().join("none"), 0).is_err());
}
