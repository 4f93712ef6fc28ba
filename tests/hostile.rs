//! Files that are not what they should be: each ends in a clear error, quickly, and never in a panic.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use moe_lint::checkpoint::{self, Checkpoint, CheckpointError, Options, Problem};
use proptest::prelude::*;

/// Generous, for builds without optimisation on busy machines.
const QUICK: Duration = Duration::from_secs(20);

fn read(path: &Path) -> Result<Checkpoint, CheckpointError> {
    let start = Instant::now();
    let result = checkpoint::read(path, &Options::default());
    assert!(start.elapsed() < QUICK, "{} took {:?}", path.display(), start.elapsed());
    result
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// The error for a file of that name and content.
fn refusal(name: &str, content: &[u8]) -> CheckpointError {
    let folder = folder();
    let path = folder.path().join(name);
    fs::write(&path, content).expect("a file");
    let error = read(&path).expect_err(name);
    assert_eq!(error.file, path, "{error}");
    error
}

fn variant(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth/variants").join(name)).expect(name)
}

#[track_caller]
fn assert_unsupported(error: &CheckpointError, wanted: &str) {
    assert!(matches!(&error.problem, Problem::Unsupported { name, .. } if name == wanted), "{error}");
    assert!(error.help().is_some());
}

#[test]
fn files_that_are_something_else() {
    assert_eq!(refusal("a.pt", b"").problem, Problem::Empty);
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 132\n";
    let error = refusal("a.safetensors", pointer);
    assert_eq!(error.problem, Problem::LfsPointer);
    assert!(error.help().expect("help").contains("git lfs pull"));
    assert_eq!(refusal("a.pt", b"\n<!DOCTYPE html>\n<html>").problem, Problem::Html);
    assert_eq!(refusal("a.pt", b"<html><body>404</body>").problem, Problem::Html);
    assert_eq!(refusal("a.pt", b"10\n").problem, Problem::Text);
    assert!(matches!(refusal("a.pt", &[0xff; 40]).problem, Problem::Unrecognised(_)));
    assert_unsupported(&refusal("a.gguf", b"GGUF\x03\0\0\0"), "GGUF");
    assert_unsupported(&refusal("a.nemo", &[0; 600]), "NeMo 1 (.nemo)");
    let mut tar = vec![0; 600];
    tar[257..262].copy_from_slice(b"ustar");
    assert_unsupported(&refusal("a.pt", &tar), "tar archive");
}

#[test]
fn paths_that_hold_nothing() {
    let folder = folder();
    assert_eq!(read(&folder.path().join("x")).expect_err("none").problem, Problem::Missing);
    let error = read(folder.path()).expect_err("none");
    assert!(matches!(error.problem, Problem::NoCheckpoint { .. }), "{error}");
    fs::create_dir_all(folder.path().join("iter_0000010/mp_rank_00")).expect("a folder");
    let error = read(folder.path()).expect_err("none");
    assert!(matches!(error.problem, Problem::NoTracker { .. }), "{error}");
    assert!(error.help().expect("help").contains("iter_0000010"));
    let tracker = folder.path().join("latest_checkpointed_iteration.txt");
    for text in ["", "10.0", "ten", "-1"] {
        fs::write(&tracker, text).expect("a file");
        let error = read(folder.path()).expect_err("none");
        assert_eq!(error.file, tracker);
        assert!(matches!(error.problem, Problem::BadTracker { .. }), "{text:?}: {error}");
    }
    fs::write(&tracker, "20").expect("a file");
    let error = read(folder.path()).expect_err("none");
    assert!(
        matches!(&error.problem, Problem::MissingIteration { present, .. } if present == &["iter_0000010"]),
        "{error}"
    );
    fs::write(&tracker, "10").expect("a file");
    // The rank's directory is there and its file is not.
    let error = read(folder.path()).expect_err("none");
    assert!(matches!(error.problem, Problem::NoCheckpoint { .. }), "{error}");
}

#[test]
fn directories_of_other_frameworks() {
    for (file, name) in [
        ("mp_rank_00_model_states.pt", "DeepSpeed"),
        ("global_step10/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt", "DeepSpeed"),
        ("embedding.weight/.zarray", "zarr"),
    ] {
        let folder = folder();
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, "x").expect("a file");
        assert_unsupported(&read(folder.path()).expect_err(file), name);
    }
    let folder = folder();
    fs::write(folder.path().join("metadata.json"), r#"{"sharded_backend": "zarr"}"#).expect("a file");
    assert_unsupported(&read(folder.path()).expect_err("zarr"), "zarr");
}

#[test]
fn truncated_files() {
    for name in ["protocol2.pt", "legacy.pt", "views.pt"] {
        let whole = variant(name);
        for length in [whole.len() - 1, whole.len() / 2, 70] {
            let error = refusal("a.pt", &whole[..length]);
            assert!(matches!(error.problem, Problem::Truncated(_)), "{name} cut to {length}: {error}");
            assert!(error.offset.is_some(), "{error}");
        }
    }
}

#[test]
fn safetensors_headers_that_lie() {
    let file = |header: &str, data: usize| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        refusal("a.safetensors", &bytes).problem
    };
    let mut huge = (1_u64 << 60).to_le_bytes().to_vec();
    huge.extend_from_slice(b"{}");
    let problem = refusal("a.safetensors", &huge).problem;
    assert!(matches!(problem, Problem::TooLarge { claimed, .. } if claimed == 1 << 60), "{problem}");
    let one = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    assert!(matches!(file(one, 4), Problem::Truncated(_)));
    assert!(matches!(file(one, 12), Problem::Malformed { .. }));
    for header in [
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
        r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"F32","shape":[18446744073709551615,2],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"X","shape":[2],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
        r#"{"__metadata__":{"x":1}}"#,
        r#"{"a":"#,
        "[]",
    ] {
        assert!(matches!(file(header, 8), Problem::Malformed { .. }), "{header}");
    }
    let nested = "[".repeat(100_000);
    assert!(matches!(file(&format!(r#"{{"a":{nested}"#), 0), Problem::Malformed { .. }));
}

#[test]
fn safetensors_that_disagree_are_read_and_reported() {
    let folder = folder();
    let write = |name: &str, header: &str, data: usize| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        fs::write(folder.path().join(name), bytes).expect("a file");
    };
    let twice = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},"hidden":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    write("one.safetensors", twice, 8);
    let found = read(&folder.path().join("one.safetensors")).expect("a checkpoint");
    assert!(found.notes[0].contains("`a` more than once"), "{:?}", found.notes);
    let a = found.parts[0].chunks[0].get("a").expect("a").clone();
    assert_eq!((a.shape, a.dtype.expect("a dtype").name()), (Some(vec![2]), "bfloat16"));
    let index = r#"{"metadata":{},"weight_map":{"a":"one.safetensors","b":"one.safetensors","c":"two.safetensors","d":"../d.safetensors"}}"#;
    fs::write(folder.path().join("model.safetensors.index.json"), index).expect("a file");
    let found = read(folder.path()).expect("a checkpoint");
    assert_eq!(found.parts[0].chunks[0].len(), 1);
    assert!(found.notes.iter().any(|note| note.contains("`hidden`")), "{:?}", found.notes);
    let problems: Vec<&Problem> = found.problems.iter().map(|error| &error.problem).collect();
    assert!(problems.iter().any(|p| matches!(p, Problem::Missing)), "{problems:?}");
    assert!(problems.iter().any(|p| matches!(p, Problem::Outside(_))), "{problems:?}");
    assert!(
        problems.iter().any(|p| matches!(p, Problem::Malformed { expected, .. } if expected.contains("`b`"))),
        "{problems:?}"
    );
}

/// A file of the old torch.save format around any object's pickle.
fn legacy(object: &[u8]) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    file.extend_from_slice(object);
    file.extend_from_slice(b"\x80\x02].");
    file
}

fn read_legacy(object: &[u8]) -> Result<Checkpoint, CheckpointError> {
    let folder = folder();
    let path = folder.path().join("a.pt");
    fs::write(&path, legacy(object)).expect("a file");
    read(&path)
}

#[test]
fn pickles_that_ask_for_too_much() {
    // A list in a list in a list ...: a million levels.
    let mut deep = b"\x80\x02}X\x01\x00\x00\x00a".to_vec();
    deep.extend(std::iter::repeat_n(b']', 1_000_000));
    deep.extend(std::iter::repeat_n(b'a', 999_999));
    deep.extend_from_slice(b"s.");
    read_legacy(&deep).expect("one object");
    // As a dict in a dict ...
    let mut deep = b"\x80\x02}".to_vec();
    deep.extend(std::iter::repeat_n(*b"X\x01\x00\x00\x00a}", 300_000).flatten());
    deep.extend(std::iter::repeat_n(b's', 300_000));
    deep.push(b'.');
    read_legacy(&deep).expect("one object");
    // Each level holds the one below it ten times: 10^30 entries.
    let mut object = b"\x80\x02}X\x01\x00\x00\x00a]q\x000".to_vec();
    for level in 1..=30_u8 {
        object.extend_from_slice(b"](");
        object.extend(std::iter::repeat_n([b'h', level - 1], 10).flatten());
        object.extend_from_slice(&[b'e', b'q', level, b'0']);
    }
    object.extend_from_slice(b"h\x1es.");
    let error = read_legacy(&object).expect_err("too many");
    assert!(matches!(error.problem, Problem::TooLarge { .. }), "{error}");
    // A dict that holds itself.
    read_legacy(b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.").expect("one object");
    // A tuple of a tuple of ... as launch argument.
    let mut args = b"\x80\x02}X\x04\x00\x00\x00argscargparse\nNamespace\n)\x81}X\x01\x00\x00\x00x".to_vec();
    args.push(b')');
    args.extend(std::iter::repeat_n(0x85, 500_000));
    args.extend_from_slice(b"sbs.");
    let found = read_legacy(&args).expect("arguments");
    assert!(found.saved_args.expect("arguments")["x"].to_string().contains("..."));
    // The memo's numbers need not be dense.
    read_legacy(b"\x80\x02}r\xff\xff\xff\xff.").expect("an empty dict");
    // The same long list as argument of many calls.
    let mut calls = b"\x80\x02}X\x01\x00\x00\x00ccollections\nOrderedDict\nq\x00](".to_vec();
    calls.extend(std::iter::repeat_n(*b"NN\x86", 100_000).flatten());
    calls.extend_from_slice(b"e\x85q\x01");
    calls.extend(std::iter::repeat_n(*b"h\x00h\x01R0", 100_000).flatten());
    calls.extend_from_slice(b"0Ns.");
    let _ = read_legacy(&calls);
}

#[test]
fn pickles_that_are_broken() {
    for object in [
        &b"\x80\x02."[..],
        b"\x80\x09N.",
        b"\x80\x02}X\xff\xff\xff\xffa.",
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff.",
        b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x10}.",
        b"\x80\x04\x8b\xff\xff\xff\x7f.",
        b"\x80\x02h\x07.",
        b"\x80\x02e.",
        b"\x80\x02t.",
        b"\x80\x02\x85.",
        b"\x80\x02(\x86.",
        b"\x80\x02NNs.",
        b"\x80\x02Na.",
        b"\x80\x02}Nb.",
        b"\x80\x02NN\x93.",
        b"\x80\x02\x82\x01.",
        b"\x80\x05\x97.",
        b"\x80\x02\xfe.",
        b"Ix\n.",
        b"Fx\n.",
        b"S'x\n.",
        b"pq\n.",
        b"coops",
        b"\x80\x02N.",
        b"\x80\x02]N\x85.",
    ] {
        let error = read_legacy(object).expect_err(&String::from_utf8_lossy(object));
        assert!(matches!(error.problem, Problem::Malformed { .. } | Problem::Truncated(_)), "{object:?}: {error}");
        assert!(error.offset.is_some_and(|offset| offset >= 20), "{object:?}: {error}");
    }
}

#[test]
fn tensors_that_reach_past_their_storage() {
    let whole = variant("protocol2.pt");
    let at = whole.windows(6).position(|w| w == b"K\x04K\x06\x86q").expect("the shape (4, 6)");
    let mut longer = whole.clone();
    longer[at + 1] = 0x40;
    let error = refusal("a.pt", &longer);
    assert!(error.to_string().contains("weight"), "{error}");
    assert!(matches!(error.problem, Problem::Malformed { .. }), "{error}");
}

/// A copy of a recorded checkpoint to damage.
fn recorded(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = folder();
    support::copy(&support::checkpoints().join(name), folder.path());
    let iteration = folder.path().join("iter_0000010");
    (folder, iteration)
}

#[test]
fn a_distributed_checkpoint_without_some_of_its_files() {
    let (folder, iteration) = recorded("core_v0.19.0/d_tp2.torch_dist");
    fs::remove_file(iteration.join("__1_0.distcp")).expect("a file");
    let found = read(folder.path()).expect("a checkpoint");
    assert_eq!(found.problems.len(), 1);
    assert_eq!(
        (&found.problems[0].file, &found.problems[0].problem),
        (&iteration.join("__1_0.distcp"), &Problem::Missing)
    );
    let data = iteration.join("__0_0.distcp");
    let bytes = fs::read(&data).expect("a file");
    fs::write(&data, &bytes[..bytes.len() - 1]).expect("a file");
    let found = read(folder.path()).expect("a checkpoint");
    assert!(found.problems.iter().any(|e| e.file == data && matches!(e.problem, Problem::Truncated(_))));
    let index = iteration.join(".metadata");
    let bytes = fs::read(&index).expect("a file");
    fs::write(&index, &bytes[..bytes.len() / 2]).expect("a file");
    let error = read(folder.path()).expect_err("a cut index");
    assert!(matches!(error.problem, Problem::Truncated(_)) && error.file == index, "{error}");
    fs::write(&index, "").expect("a file");
    assert_eq!(read(folder.path()).expect_err("an empty index").problem, Problem::Empty);
    fs::remove_file(&index).expect("a file");
    assert_eq!(read(folder.path()).expect_err("no index").problem, Problem::Missing);
}

#[test]
fn one_damaged_rank_leaves_the_others_readable() {
    let (folder, iteration) = recorded("core_v0.15.0/d_tp2.torch");
    let file = iteration.join("mp_rank_01/model_optim_rng.pt");
    let bytes = fs::read(&file).expect("a file");
    fs::write(&file, &bytes[..bytes.len() - 100]).expect("a file");
    let found = read(folder.path()).expect("a checkpoint");
    assert_eq!(found.parts.len(), 1);
    assert_eq!(found.problems[0].file, file);
    fs::remove_file(&file).expect("a file");
    assert_eq!(read(folder.path()).expect("a checkpoint").problems[0].problem, Problem::Missing);
}

#[test]
fn an_iteration_directory_is_read_with_a_note() {
    let (_folder, iteration) = recorded("core_v0.15.0/d_tp2.torch");
    let found = read(&iteration).expect("a checkpoint");
    assert_eq!(found.iteration, Some(checkpoint::Iteration::Step(10)));
    assert!(found.notes.iter().any(|note| note.contains("latest_checkpointed_iteration.txt")), "{:?}", found.notes);
}

#[test]
fn a_step_overrides_the_tracker() {
    let (folder, iteration) = recorded("core_v0.15.0/d_tp2.torch");
    fs::rename(iteration, folder.path().join("iter_0000020")).expect("a move");
    assert!(read(folder.path()).is_err());
    let options = Options { step: Some(20), rules: None };
    let found = checkpoint::read(folder.path(), &options).expect("a checkpoint");
    assert_eq!(found.iteration, Some(checkpoint::Iteration::Step(20)));
    let location = checkpoint::locate(folder.path(), &Options::default());
    assert_eq!((location.folder.as_deref(), location.folder_exists), (Some("iter_0000010"), false));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Real files with some bytes changed and the end cut off: an answer or an error, quickly.
    #[test]
    fn damaged_files_never_panic(
        name in prop::sample::select(vec!["protocol2.pt", "protocol5.pt", "legacy.pt", "nested.pt", "optimizer.pt", "dtypes.pt", "sparse.pt"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = variant(name);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let folder = folder();
        let path = folder.path().join("a.pt");
        fs::write(&path, bytes).expect("a file");
        if let Err(error) = read(&path) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn damaged_indexes_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let folder = folder();
        let source = support::checkpoints().join("core_v0.12.0/m_ep2.torch_dist/iter_0000010");
        let mut bytes = fs::read(source.join(".metadata")).expect("a file");
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(folder.path().join(".metadata"), bytes).expect("a file");
        fs::copy(source.join("metadata.json"), folder.path().join("metadata.json")).expect("a file");
        let _ = read(folder.path());
    }

    /// Any bytes at all as a pickle.
    #[test]
    fn any_pickle_ends(bytes in prop::collection::vec(prop::sample::select(
        b"\x80\x02(N\x88\x89K\x01M]}()a.esuR\x81b\x85\x86\x87tq\x00h\x00cX\x01\x00\x00\x00aQ02\x8f\x90\x91\x92\x93\x94\x95l\x8aoiGJ\n".to_vec()), 0..200)) {
        let _ = read_legacy(&bytes);
    }
}
