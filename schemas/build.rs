//! Makes cargo compile the crate again when a schema file is added or removed; changes of a file
//! that is embedded already are noticed without this.

fn main() {
    for folder in ["klarna", "acquirer", "simulator", "conformance"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
