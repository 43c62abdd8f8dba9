//! The schema files, embedded at compile time in every profile.

use std::borrow::Cow;

use rust_embed::{EmbeddedFile, RustEmbed};

/// Where every `$id` begins. Nothing is ever fetched from there.
pub(super) const BASE: &str = "https://schemas.klarna-local.test/";

/// What every file name ends in.
pub(super) const SUFFIX: &str = ".schema.json";

#[derive(RustEmbed)]
#[folder = "klarna/"]
#[prefix = "klarna/"]
struct Klarna;

#[derive(RustEmbed)]
#[folder = "acquirer/"]
#[prefix = "acquirer/"]
#[allow_missing = true]
struct Acquirer;

#[derive(RustEmbed)]
#[folder = "simulator/"]
#[prefix = "simulator/"]
#[allow_missing = true]
struct Simulator;

#[derive(RustEmbed)]
#[folder = "conformance/"]
#[prefix = "conformance/"]
#[allow_missing = true]
struct Conformance;

/// Every schema file: its name (`klarna/error`) and its bytes.
pub(super) fn files() -> impl Iterator<Item = (String, Cow<'static, [u8]>)> {
    fn named(path: &str, file: Option<EmbeddedFile>) -> Option<(String, Cow<'static, [u8]>)> {
        Some((path.strip_suffix(SUFFIX)?.to_owned(), file?.data))
    }
    Klarna::iter()
        .filter_map(|path| named(&path, Klarna::get(&path)))
        .chain(Acquirer::iter().filter_map(|path| named(&path, Acquirer::get(&path))))
        .chain(Simulator::iter().filter_map(|path| named(&path, Simulator::get(&path))))
        .chain(Conformance::iter().filter_map(|path| named(&path, Conformance::get(&path))))
}
