//! What the tests share: rules as shipped, a vault in a temporary folder, time and chance from a seed.

mod archive;
mod demo;
mod places;
mod rules;
mod seeds;

pub use archive::TestVault;
pub use demo::{DemoCapture, DemoChannel, canaries, demo};
pub use places::places;
pub use rules::{judged_by_one, rules, small_rules};
pub use seeds::{seeded, seeded_bytes};

use knik::model::Timestamp;
use std::path::{Path, PathBuf};

/// The folder of the package.
pub fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder with real captures and standards, where there is one. Says which test is left out otherwise.
pub fn shared(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("KNIK_SHARED").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| package().join("../shared"));
    if folder.is_dir() {
        return Some(folder);
    }
    println!("left out: {test} (no ../shared)");
    None
}

/// The moment at which every seeded clock starts.
pub fn start() -> Timestamp {
    "2026-05-04T09:30:00Z".parse().unwrap()
}
