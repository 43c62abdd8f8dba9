//! Makes cargo compile the crate again when a schema file is added or removed; changes of a file
//! that is embedded already are noticed without this.
#![expect(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]

fn main() {
    for folder in ["klarna", "acquirer", "simulator", "conformance"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
