//! `steps`.

use super::args::StepsArgs;
use super::output::say;
use crate::exit_code::Exit;
use crate::steps;

/// Lists the vocabulary.
pub(super) fn run(args: &StepsArgs) -> Exit {
    let text = if args.markdown { steps::markdown() } else { steps::listing() };
    say(text.trim_end());
    Exit::Held
}
