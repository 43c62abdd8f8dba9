//! `adapter new`.

use super::args::NewArgs;
use crate::exit_code::Exit;

pub(super) fn run(_args: &NewArgs) -> Exit {
    Exit::Broken
}
