//! `adapter check`.

use std::fmt::Write as _;

use super::args::CheckArgs;
use super::dry::{indented, plain};
use super::{source, trial};
use crate::adapter::{Adapter, AdapterError, Capability};
use crate::cli::output::{complain, say};
use crate::exit_code::Exit;

/// Checks an adapter file and, unless that is not wanted, makes a payment by it.
pub(super) fn run(args: &CheckArgs) -> Exit {
    let adapter = match Adapter::load(&source(args.file.as_ref())) {
        Ok(adapter) => adapter,
        Err(error) => {
            report(error);
            return Exit::Invalid;
        }
    };
    match rendered(&adapter) {
        Ok(text) => say(text.trim_end()),
        Err(why) => {
            complain(&why);
            return Exit::Invalid;
        }
    }
    if args.offline { Exit::Held } else { trial::run(args, &adapter) }
}

/// Each mistake with its line, and how many they are.
fn report(error: AdapterError) {
    let file = error.file().to_owned();
    let mistakes = error.alone();
    let count = mistakes.len();
    for mistake in mistakes {
        complain(&format!("{:?}", miette::Report::new(mistake)));
    }
    let plural = if count == 1 { "mistake" } else { "mistakes" };
    complain(&format!("{count} {plural} in {file}; nothing was started"));
}

/// What the adapter says, and every request by a sample order.
fn rendered(adapter: &Adapter) -> Result<String, String> {
    let partners: Vec<&str> = adapter.partners().iter().map(|partner| partner.name.as_str()).collect();
    let claimed = Capability::ALL.iter().map(|one| one.name).filter(|name| adapter.claims(name));
    let operations = adapter.operations();
    let mut text = format!("{} is sound: {}\n", adapter.file(), adapter.name());
    let _ = writeln!(text, "  Partners      {}", partners.join(", "));
    let _ = writeln!(text, "  capabilities  {}", claimed.collect::<Vec<_>>().join(", "));
    let _ = writeln!(text, "  operations    {}", operations.join(", "));
    let base_url = adapter.likely_base_url();
    for operation in operations {
        let explained = adapter.explain(operation, &base_url).map_err(|error| error.to_string())?;
        let last = explained.calls.len();
        for (index, call) in explained.calls.iter().enumerate() {
            let title = if index + 1 == last {
                operation.to_owned()
            } else {
                format!("before {operation}, call {}", index + 1)
            };
            let _ = writeln!(text, "\n{title}, for a sample order\n\n{}", indented(&plain(&call.request)));
        }
    }
    Ok(text)
}
