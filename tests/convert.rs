//! Converting recorded checkpoints gives, bit for bit, what the framework itself saved of the same weights.

mod support;
#[path = "support/tensors.rs"]
mod tensors;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use moe_lint::checkpoint::pickle::graph;
use moe_lint::checkpoint::zip_layout::Layout;
use moe_lint::convert::{ConvertError, Depth, Part, Progress, RECORD, Report, Request, convert};
use tensors::{File, Tensor};

struct Silent;

impl Progress for Silent {
    fn total(&self, _: u64) {}
    fn file(&self, _: &str) {}
    fn advance(&self, _: u64) {}
}

fn request(source: &Path, target: &Path) -> Request {
    Request {
        source: source.to_path_buf(),
        target: target.to_path_buf(),
        experts: None,
        implementation: None,
        strip_prefix: None,
        add_prefix: None,
        experts_a_rank: None,
        drop_optimizer: false,
        framework: None,
        engine: None,
        part: Part::All,
        resume: false,
        jobs: 2,
        depth: Depth::Full,
    }
}

fn to(source: &Path, target: &Path, experts: &str) -> Request {
    Request { experts: Some(experts.to_owned()), ..request(source, target) }
}

fn done(request: &Request) -> Report {
    convert(request, &Silent).unwrap_or_else(|error| panic!("{}: {error}", request.source.display()))
}

/// The rank files of a checkpoint's only iteration, by name.
fn files(root: &Path) -> BTreeMap<String, PathBuf> {
    let iteration = root.join("iter_0000010");
    let folders = fs::read_dir(iteration).expect("an iteration").map(|entry| entry.expect("a folder"));
    let file = |entry: fs::DirEntry| {
        (entry.file_name().into_string().expect("a name"), entry.path().join("model_optim_rng.pt"))
    };
    folders.map(file).collect()
}

fn read(root: &Path) -> BTreeMap<String, File> {
    files(root).into_iter().map(|(name, path)| (name, tensors::read(&path))).collect()
}

/// What does not depend on the layout: core attention's state, whose key depends on Transformer Engine's version, and
/// states that are no tensors, which None stands for.
fn comparable(chunk: &BTreeMap<String, Option<Tensor>>) -> BTreeMap<&str, Option<&Tensor>> {
    let kept = chunk.iter().filter(|(key, _)| !key.contains(".core_attention."));
    kept.map(|(key, tensor)| (key.as_str(), tensor.as_ref())).collect()
}

fn assert_same(found: &BTreeMap<String, File>, expected: &BTreeMap<String, File>, what: &str) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{what}");
    for (rank, file) in expected {
        let here = &found[rank];
        assert_eq!(here.chunks.len(), file.chunks.len(), "{what}");
        for (name, chunk) in &file.chunks {
            let (ours, theirs) = (comparable(&here.chunks[name]), comparable(chunk));
            assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{what} {rank}");
            for (key, tensor) in theirs {
                assert_eq!(ours[key], tensor, "{what} {rank} {key}");
            }
        }
        assert_eq!(here.other, file.other, "{what} {rank}");
        for (name, value) in file.args.iter().filter(|(name, _)| !matches!(name.trim_matches('"'), "save" | "load")) {
            assert_eq!(here.args.get(name), Some(value), "{what} {rank} {name}");
        }
    }
}

const LAYOUTS: [(&str, &str); 3] = [("sequential", "sequential"), ("grouped", "grouped"), ("te_grouped", "te-grouped")];

#[test]
fn all_six_directions_give_what_the_framework_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut directions = 0;
    for tag in ["core_v0.8.0", "core_v0.12.0", "core_v0.15.0"] {
        for case in fs::read_dir(support::checkpoints().join(tag).join("layouts")).expect("layouts") {
            let case = case.expect("a case").path();
            let recorded = LAYOUTS.map(|(name, _)| read(&case.join(format!("{name}.torch"))));
            for (from, _) in LAYOUTS {
                for (index, (to_name, option)) in LAYOUTS.into_iter().enumerate().filter(|(_, (name, _))| *name != from)
                {
                    let target = folder.path().join(format!("{directions}"));
                    let report = done(&to(&case.join(format!("{from}.torch")), &target, option));
                    let what = format!("{} {from} -> {to_name}", case.display());
                    assert_same(&read(&target), &recorded[index], &what);
                    assert!(report.complete && report.compared.experts > 0, "{what}");
                    directions += 1;
                }
            }
        }
    }
    assert_eq!(directions, 3 * 8 * 6);
}

/// From one checkpoint over several layouts and back.
fn round(name: &str, steps: &[&str]) {
    let source = support::checkpoints().join(name);
    let folder = tempfile::tempdir().expect("a folder");
    let mut last = source.clone();
    for (index, step) in steps.iter().enumerate() {
        let target = folder.path().join(index.to_string());
        done(&to(&last, &target, step));
        last = target;
    }
    assert_same(&read(&last), &read(&source), name);
}

#[test]
fn round_trips_change_nothing() {
    for tag in ["core_v0.8.0", "core_v0.12.0", "core_v0.15.0", "core_v0.19.0"] {
        round(&format!("{tag}/m_bias.torch"), &["te-grouped", "sequential"]);
        round(&format!("{tag}/m_swiglu_f32.torch"), &["grouped", "te-grouped", "sequential"]);
        // Several virtual stages in a file.
        round(&format!("{tag}/m_pp2_vpp.torch"), &["te-grouped", "grouped", "sequential"]);
        round(&format!("{tag}/m_local.torch"), &["grouped", "sequential"]);
    }
    // Shared experts, multi-latent attention, a bias of the router.
    round("core_v0.15.0/m_shared.torch", &["grouped", "sequential"]);
    round("core_v0.15.0/m_dsv3_f32.torch", &["sequential", "grouped", "te-grouped"]);
    round("core_v0.12.0/m_bias_gg.torch", &["sequential", "te-grouped"]);
}

fn keys(root: &Path) -> Vec<(String, String, String, Option<Vec<i64>>)> {
    let mut all = Vec::new();
    for (rank, file) in read(root) {
        for (chunk, entries) in file.chunks {
            for (key, tensor) in entries {
                let shape = tensor.filter(|_| !key.ends_with("_extra_state")).map(|tensor| tensor.shape);
                all.push((rank.clone(), chunk.clone(), key, shape));
            }
        }
    }
    all
}

#[test]
fn names_become_those_of_the_other_implementation() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut number = 0;
    for (tag, engine) in
        [("core_v0.8.0", "1.9"), ("core_v0.12.0", "2.2"), ("core_v0.15.0", "2.8"), ("core_v0.19.0", "2.14")]
    {
        for (te, local) in [("m_default", "m_local"), ("d_default", "d_local"), ("m_bias", "m_bias_local")] {
            let root = |name: &str| support::checkpoints().join(tag).join(format!("{name}.torch"));
            for (from, to, option) in [(te, local, "local"), (local, te, "transformer_engine")] {
                number += 1;
                let target = folder.path().join(number.to_string());
                let wanted = Request {
                    implementation: Some(option.to_owned()),
                    engine: Some(engine.parse().expect("a version")),
                    ..request(&root(from), &target)
                };
                done(&wanted);
                // Core attention's module takes care of its own missing state.
                let mut expected = keys(&root(to));
                expected.retain(|(_, _, key, _)| !key.contains(".core_attention."));
                assert_eq!(keys(&target), expected, "{tag} {from} -> {to}");
                let implementation =
                    |root: &Path| read(root).into_values().next().expect("a file").args["\"transformer_impl\""].clone();
                assert_eq!(implementation(&target), implementation(&root(to)));
            }
        }
    }
}

#[test]
fn a_prefix_comes_and_goes_and_nothing_else_changes() {
    for tag in ["core_v0.8.0", "core_v0.12.0", "core_v0.15.0", "core_v0.19.0"] {
        for name in ["m_fp8", "m_pp2_vpp", "d_default"] {
            let source = support::checkpoints().join(tag).join(format!("{name}.torch"));
            let folder = tempfile::tempdir().expect("a folder");
            let (with, without) = (folder.path().join("with"), folder.path().join("without"));
            done(&Request { add_prefix: Some("module.".to_owned()), ..request(&source, &with) });
            assert!(keys(&with).iter().all(|(_, _, key, _)| key.starts_with("module.")));
            let strip = Request { strip_prefix: Some("module.".to_owned()), ..request(&with, &without) };
            done(&strip);
            assert!(read(&without) == read(&source), "{tag} {name}");
            let error = convert(&Request { target: folder.path().join("x"), source, ..strip }, &Silent);
            assert!(matches!(error, Err(ConvertError::Refused { .. })));
        }
    }
}

#[test]
fn experts_below_a_prefix_are_found_when_it_is_taken_away() {
    let source = support::checkpoints().join("core_v0.12.0/layouts/gelu_tp1_ep1/sequential.torch");
    let folder = tempfile::tempdir().expect("a folder");
    let (with, target) = (folder.path().join("with"), folder.path().join("target"));
    done(&Request { add_prefix: Some("module.".to_owned()), ..request(&source, &with) });
    done(&Request { strip_prefix: Some("module.".to_owned()), ..to(&with, &target, "grouped") });
    let expected = source.with_file_name("grouped.torch");
    assert_same(&read(&target), &read(&expected), "with a prefix");
}

fn refusal(request: &Request) -> String {
    match convert(request, &Silent) {
        Err(error @ ConvertError::Refused { .. }) => format!("{error}; {}", error.help().expect("help")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_would_be_wrong_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("target");
    let source = |name: &str| support::checkpoints().join("core_v0.12.0").join(format!("{name}.torch"));
    let told = |name: &str, experts: &str| refusal(&to(&source(name), &target, experts));
    assert!(told("m_bias", "grouped").contains("has no place for"));
    assert!(told("m_gg_local", "te-grouped").contains("--transformer-impl transformer_engine"));
    assert!(told("m_default", "sequential").contains("already"));
    assert!(told("d_default", "grouped").contains("no experts"));
    assert!(told("m_default", "other").contains("sequential, grouped, te-grouped"));
    let newer =
        Request { framework: Some("0.17".parse().expect("a version")), ..to(&source("m_default"), &target, "grouped") };
    assert!(refusal(&newer).contains("core 0.17"));
    // Which states the norms have depends on Transformer Engine's version.
    let te = Some("transformer_engine".to_owned());
    assert!(refusal(&Request { implementation: te, ..request(&source("m_local"), &target) }).contains("--te"));
    let six = Request { experts_a_rank: Some(6), ..to(&source("m_gg_legacy"), &target, "sequential") };
    assert!(refusal(&six).contains("6 experts"));
    assert!(!target.exists());
    fs::create_dir(&target).expect("a folder");
    fs::write(target.join("x"), "x").expect("a file");
    assert!(told("m_default", "grouped").contains("exists already"));
    let inside = source("m_default").join("iter_0000010/x");
    assert!(refusal(&to(&source("m_default"), &inside, "grouped")).contains("lies in the source"));
}

#[test]
fn a_sharded_format_needs_no_conversion() {
    let source = support::checkpoints().join("core_v0.12.0/m_default.torch_dist");
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("target");
    let report = done(&to(&source, &target, "te-grouped"));
    assert_eq!(report.format.map(moe_lint::checkpoint::Format::name), Some("torch_dist"));
    assert!(!report.complete && !target.exists());
    assert!(refusal(&Request { add_prefix: Some("x".to_owned()), ..request(&source, &target) }).contains("torch_dist"));
}

/// A copy of a checkpoint, each file with an optimizer's state that shares a value with the arguments.
fn with_optimizer(source: &Path, target: &Path) {
    support::copy(source, target);
    for path in files(target).into_values() {
        let entries = tensors::entries(&fs::read(&path).expect("a file"));
        let (name, pickle) = entries.iter().find(|(name, _)| name.ends_with("data.pkl")).expect("a pickle");
        let mut graph = graph::parse(pickle).expect("a pickle");
        let mut items = graph.items(graph.root).expect("a dict");
        let (key, state) = (graph.add_text("optimizer"), items[0].1);
        let state = graph.add_tuple(vec![state, state]);
        items.insert(1, (key, state));
        let root = graph.root;
        graph.set_items(root, &items);
        let pickle = graph.write().expect("a pickle");
        let contents: Vec<(&String, &[u8])> = entries
            .iter()
            .map(|(other, bytes)| (other, if other == name { &pickle[..] } else { &bytes[..] }))
            .collect();
        let layout =
            Layout::new(contents.iter().map(|(name, bytes)| ((*name).clone(), bytes.len() as u64))).expect("a layout");
        let mut out = Vec::new();
        let mut checksums = Vec::new();
        for (placed, (_, bytes)) in layout.entries.iter().zip(&contents) {
            checksums.push(crc32fast::hash(bytes));
            out.extend(placed.local_header(crc32fast::hash(bytes)));
            out.extend_from_slice(bytes);
        }
        out.extend(layout.end(&checksums));
        fs::write(&path, out).expect("written");
    }
}

#[test]
fn the_optimizer_is_left_out_only_when_that_is_said() {
    let recorded = support::checkpoints().join("core_v0.12.0/layouts/swiglu_tp2_ep2");
    let folder = tempfile::tempdir().expect("a folder");
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    with_optimizer(&recorded.join("sequential.torch"), &source);
    let wanted = to(&source, &target, "grouped");
    let told = refusal(&wanted);
    assert!(told.contains("--drop-optimizer") && told.contains("--no-load-optim"), "{told}");
    let report = done(&Request { drop_optimizer: true, ..wanted });
    assert_eq!(report.without_optimizer.as_deref(), Some("--no-load-optim"));
    assert_same(&read(&target), &read(&recorded.join("grouped.torch")), "without its optimizer");
    // The same where it lies in a file of its own.
    let apart = folder.path().join("apart");
    support::copy(&recorded.join("sequential.torch"), &apart);
    let beside = files(&apart).into_values().next().expect("a file").with_file_name("distrib_optim.pt");
    fs::copy(files(&apart).into_values().next().expect("a file"), beside).expect("copied");
    assert!(refusal(&to(&apart, &folder.path().join("x"), "grouped")).contains("--drop-optimizer"));
}

#[test]
fn shares_and_the_whole_are_the_same() {
    let source = support::checkpoints().join("core_v0.15.0/layouts/gelu_tp2_ep2/te_grouped.torch");
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, shared) = (folder.path().join("whole"), folder.path().join("shared"));
    done(&to(&source, &whole, "sequential"));
    let part = |part| Request { part, ..to(&source, &shared, "sequential") };
    assert!(refusal(&part(Part::Finish)).contains("nothing is written yet"));
    for index in [2, 0] {
        assert!(!done(&part(Part::Shard { index, of: 3 })).complete);
    }
    assert!(refusal(&part(Part::Finish)).contains("is not written yet"));
    assert!(!shared.join("latest_checkpointed_iteration.txt").exists());
    done(&part(Part::Shard { index: 1, of: 3 }));
    assert!(done(&part(Part::Finish)).complete);
    assert!(bytes(&shared) == bytes(&whole));
}

/// Every file below a folder with its content.
fn bytes(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(root).expect("below").to_path_buf(), fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

#[test]
fn a_target_goes_on_only_with_the_same_conversion() {
    let source = support::checkpoints().join("core_v0.15.0/layouts/gelu_tp2_ep2/te_grouped.torch");
    let folder = tempfile::tempdir().expect("a folder");
    let (target, copy) = (folder.path().join("target"), folder.path().join("copy"));
    support::copy(&source, &copy);
    done(&Request { part: Part::Shard { index: 0, of: 2 }, ..to(&copy, &target, "sequential") });
    let resume = |experts| Request { resume: true, ..to(&copy, &target, experts) };
    assert!(refusal(&to(&copy, &target, "sequential")).contains("--resume"));
    assert!(refusal(&resume("grouped")).contains("another conversion"));
    let report = done(&resume("sequential"));
    assert_eq!((report.files, report.kept, report.complete), (4, 2, true));
    assert!(target.join(RECORD).exists());
    // A complete one stays so, and is looked at again.
    assert!(done(&resume("sequential")).complete);
    let damaged = files(&target).into_values().next().expect("a file");
    let content = fs::read(&damaged).expect("a file");
    fs::write(&damaged, &content[..content.len() - 1]).expect("written");
    assert!(convert(&resume("sequential"), &Silent).is_err());
}

#[test]
fn damaged_sources_are_refused_and_leave_nothing_behind() {
    let source = support::checkpoints().join("core_v0.12.0/layouts/gelu_tp1_ep1/sequential.torch");
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy");
    support::copy(&source, &copy);
    let path = files(&copy).into_values().next().expect("a file");
    let content = fs::read(&path).expect("a file");
    let mut random = 7_u64;
    for round in 0..300 {
        let mut damaged = content.clone();
        for _ in 0..=round % 3 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (random >> 33) as usize % damaged.len();
            damaged[at] = (random >> 20) as u8;
        }
        if round % 7 == 0 {
            damaged.truncate((random >> 33) as usize % content.len());
        }
        fs::write(&path, damaged).expect("written");
        let target = folder.path().join(format!("target{round}"));
        // What is damaged in elements is copied as it is; what is damaged elsewhere ends with an error.
        let result = convert(&to(&copy, &target, "grouped"), &Silent);
        assert!(result.is_ok() || !target.join("latest_checkpointed_iteration.txt").exists(), "{round}");
    }
}
