//! How long reading headers takes: `cargo bench --bench headers -- PATH...`. Inputs and the comparison with torch come
//! from `benches/headers.py`; figures are in `benches/README.md`.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::Path;
use std::time::{Duration, Instant};

use moe_lint::checkpoint::{self, Options};

fn main() {
    for path in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        let mut best = Duration::MAX;
        let mut entries = 0;
        let mut first = String::new();
        for run in 0..5 {
            let start = Instant::now();
            let result = checkpoint::read(Path::new(&path), &Options::default());
            best = best.min(start.elapsed());
            match result {
                Ok(found) => {
                    let of = |part: &checkpoint::Part| {
                        part.chunks.iter().map(|chunk| chunk.len()).sum::<usize>() + part.other.len()
                    };
                    entries = found.parts.iter().map(of).sum();
                }
                Err(error) => eprintln!("{error}"),
            }
            if run == 0 {
                first = peak();
            }
        }
        if let Ok(floor) = floor(Path::new(&path))
            && !floor.is_zero()
        {
            println!("{path}: bytes and one JSON pass in one thread take {floor:.1?}");
        }
        println!("{path}: {entries} entries in {best:.1?}, peak memory {first} after one run, {} after five", peak());
    }
}

/// The least that reading safetensors headers can cost: their bytes, and one pass over the JSON.
fn floor(folder: &Path) -> std::io::Result<Duration> {
    use std::io::Read as _;
    let mut total = Duration::ZERO;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            let start = Instant::now();
            let mut file = std::fs::File::open(path)?;
            let mut size = [0; 8];
            file.read_exact(&mut size)?;
            let mut header = vec![0; usize::try_from(u64::from_le_bytes(size)).unwrap_or(0)];
            file.read_exact(&mut header)?;
            serde_json::from_slice::<serde::de::IgnoredAny>(&header)?;
            total += start.elapsed();
        }
    }
    Ok(total)
}

/// What the kernel counts, where it is Linux.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |size| size.trim().to_owned())
}
