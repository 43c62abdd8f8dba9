# One recipe a step of the continuous integration; each is one command that a person can run too.

# What there is.
default:
    @just --list

# Formatting, checked and not changed.
fmt:
    cargo fmt --all --check

# The linter, with every warning an error.
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Licences, banned crates and sources of what is linked in.
deny:
    cargo deny check bans licenses sources

# All tests.
test:
    cargo test --workspace

# The conformance suite against the reference acquirer.
run:
    cargo run --release

# The README's tour, on free ports.
tour:
    cargo test -p klarna-conformance --test it tour

# The generated page of steps, compared with what the binary says.
docs-check:
    cargo run --quiet -- steps --markdown | diff docs/steps.md -

# Everything, in the order of the continuous integration.
all: fmt lint deny test run tour docs-check
