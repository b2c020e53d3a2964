//! What the fuzz targets share. The pure rooms are compiled here from their own source: they need nothing of the rest of
//! Knik, so a build with coverage takes a minute and not ten.

#![allow(dead_code, unused_imports, reason = "not every target uses every room")]

#[path = "../../../src/vault/reviewing/file.rs"]
pub mod assessments;
#[path = "../../../src/capture/mod.rs"]
pub mod capture;
#[path = "../../../src/decide/mod.rs"]
pub mod decide;
#[path = "../../../src/detect/mod.rs"]
pub mod detect;
pub mod given;
pub mod invariants;
#[path = "../../../src/model/mod.rs"]
pub mod model;
pub mod shipped;
