//! The features and example adapters that travel inside the program.

use rust_embed::RustEmbed;

use super::source::FeatureFile;

#[derive(RustEmbed)]
#[folder = "../features/"]
struct Features;

#[derive(RustEmbed)]
#[folder = "adapters/"]
struct Adapters;

fn texts<E: RustEmbed>(extensions: &[&str]) -> Vec<(String, String)> {
    let mut names: Vec<_> = E::iter().filter(|name| extensions.iter().any(|e| name.ends_with(e))).collect();
    names.sort();
    names
        .into_iter()
        .filter_map(|name| {
            let file = E::get(&name)?;
            Some((name.into_owned(), String::from_utf8_lossy(&file.data).into_owned()))
        })
        .collect()
}

/// The embedded features, by path; the document comes first, since the rest refines it.
pub fn embedded_features() -> Vec<FeatureFile> {
    let mut files: Vec<_> = texts::<Features>(&[".feature"])
        .into_iter()
        .map(|(name, text)| FeatureFile::new(format!("features/{name}"), &name, text))
        .collect();
    files.sort_by_key(|file| !file.path.ends_with("/the-document.feature"));
    files
}

/// The embedded adapters: file name and text.
pub fn embedded_adapters() -> Vec<(String, String)> {
    texts::<Adapters>(&[".yaml", ".yml"])
}
