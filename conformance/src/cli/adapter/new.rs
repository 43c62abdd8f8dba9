//! `adapter new`.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::Path;

use super::args::NewArgs;
use crate::cli::output::{complain, say};
use crate::draft::openapi::{self, Document};
use crate::draft::write::{Todo, Written, write};
use crate::draft::{Draft, Wishes, ask, by_hand};
use crate::exit_code::Exit;

/// Writes a new adapter file.
pub(super) fn run(args: &NewArgs) -> Exit {
    match drafted(args) {
        Ok(exit) => exit,
        Err((exit, why)) => {
            complain(&why);
            exit
        }
    }
}

fn drafted(args: &NewArgs) -> Result<Exit, (Exit, String)> {
    // Before questions are asked whose answers would be lost.
    if let Some(path) = args.out.as_deref().filter(|path| path.exists() && !args.force) {
        return Err((Exit::Usage, there_already(path)));
    }
    let usage = |why: String| (Exit::Usage, why);
    let mut wishes = wishes(args);
    let draft = if let Some(path) = &args.from_openapi {
        let document = Document::load(path).map_err(|error| (Exit::Invalid, error.to_string()))?;
        openapi::propose(&document, &wishes).map_err(usage)?
    } else {
        if args.ask || std::io::stdin().is_terminal() {
            ask::ask(&mut wishes, &mut std::io::stdin().lock(), &mut std::io::stderr().lock())
                .map_err(|error| (Exit::Broken, error.to_string()))?;
        }
        by_hand::draft(&wishes).map_err(usage)?
    };
    let written = write(&draft);
    let name = if let Some(path) = &args.out {
        save(path, &written.text, args.force)?;
        path.display().to_string()
    } else {
        say(written.text.trim_end());
        "standard output".to_owned()
    };
    report(&name, &written, &draft);
    Ok(Exit::Held)
}

fn wishes(args: &NewArgs) -> Wishes {
    Wishes {
        name: args.name.clone(),
        base_url: args.base_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned()),
        command: args.command.clone(),
        klarna_account: args.klarna_account.clone(),
        authentication: args.authentication.clone(),
        create: args.create.clone(),
        read: args.read.clone(),
        list: args.list.clone(),
        fields: args.field.clone(),
        outcomes: args.outcome.clone(),
        reads: args.reads.clone(),
    }
}

fn there_already(path: &Path) -> String {
    format!("{} is there already\n  hint: --force replaces it", path.display())
}

/// Writes the file; one that is there stays, unless it is to be replaced.
fn save(path: &Path, text: &str, force: bool) -> Result<(), (Exit, String)> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    if !force {
        // It may have come to be since it was looked for.
        options.create_new(true);
    }
    let mut file = options.open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => (Exit::Usage, there_already(path)),
        _ => (Exit::Broken, format!("{} cannot be written: {error}", path.display())),
    })?;
    file.write_all(text.as_bytes())
        .map_err(|error| (Exit::Broken, format!("{} cannot be written: {error}", path.display())))
}

/// What is left to do, what is likely and no more, and what was left out.
fn report(name: &str, written: &Written, draft: &Draft) {
    let mut lines = match written.todos.len() {
        0 => vec![format!("{name} is written; nothing is left to do")],
        count => vec![format!("{name} is written; left to do, {count}:")],
    };
    lines.extend(written.todos.iter().map(|Todo { line, what }| format!("  {name}:{line}: {what}")));
    if !written.likely.is_empty() {
        lines.push(format!("likely and not sure, marked `# likely`: {}", written.likely.len()));
    }
    let variables = draft.secrets();
    if !variables.is_empty() {
        let names: Vec<&str> = variables.iter().map(|variable| variable.env.as_str()).collect();
        lines.push(format!("to be set in the environment: {}", names.join(", ")));
    }
    lines.extend(draft.left_out.iter().map(|what| format!("left out: {what}")));
    complain(&lines.join("\n"));
}
