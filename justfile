# One recipe a step of the continuous integration (.ci/run); each is one command that a person can
# run too.

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

# All tests, the README's tour among them.
test:
    cargo test --workspace

# The conformance suite against the reference acquirer.
run:
    cargo run --release

# The README's tour alone, on free ports.
tour:
    cargo test --workspace --test it tour::

# Writes the generated page of steps anew; a test compares it.
steps:
    cargo run --quiet -- steps --markdown > docs/steps.md

# Writes the generated page of evidence anew; a test compares it.
evidence:
    cargo run --quiet -p klarna-simulator -- evidence --markdown > docs/evidence.md

# Everything, in the order of the continuous integration, with its minutes.
all:
    .ci/run
