//! The built-in acquirer. This file alone names its crate; everything else meets it as a process
//! with an HTTP API.

use std::ffi::OsString;
use std::process::ExitCode;

use reference_acquirer::{chance, store};
use secrecy::{ExposeSecret as _, SecretString};

/// The hidden subcommand by which this program becomes the built-in acquirer.
pub const SUBCOMMAND: &str = "__reference-acquirer";

/// The name that an adapter's `launch.builtin` gives it.
pub const NAME: &str = "reference-acquirer";

/// Where it reads which database it is to use: a flag would show a password to everybody.
pub const DATABASE_VARIABLE: &str = "REFERENCE_ACQUIRER_DATABASE";

/// Where it reads at which address others reach it.
pub const PUBLIC_URL_VARIABLE: &str = "REFERENCE_ACQUIRER_PUBLIC_URL";

/// What names its database on the command line, and goes before the variable.
const DATABASE_FLAG: &str = "--database";

/// Runs the built-in acquirer with the arguments that follow [`SUBCOMMAND`]; blocks until it ends.
pub fn run(args: Vec<OsString>) -> ExitCode {
    reference_acquirer::cli::run_from(std::iter::once(OsString::from(NAME)).chain(args))
}

/// Takes the database that an adapter names out of the arguments of a launch.
pub(crate) fn forget_database(args: &mut Vec<String>) {
    args.retain(|arg| !arg.starts_with(&format!("{DATABASE_FLAG}=")));
    while let Some(flag) = args.iter().position(|arg| arg == DATABASE_FLAG) {
        args.drain(flag..args.len().min(flag + 2));
    }
}

/// A database that is one run's own.
#[derive(Debug)]
pub(crate) struct Database {
    url: SecretString,
    /// Made for the run, in the database of the URL that was given.
    schema: Option<(SecretString, String)>,
}

impl Database {
    /// What was asked for, as a URL: a path is SQLite's.
    ///
    /// # Errors
    /// When it is neither a path nor a URL of a known kind, or a file that is there already.
    pub(crate) fn url_of(text: &str) -> Result<String, String> {
        if text.contains("://") && !text.starts_with("sqlite:") {
            return if store::is_known(text) {
                Ok(text.to_owned())
            } else {
                Err("a database is sqlite://FILE, a path, or postgres://HOST/NAME".to_owned())
            };
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).unwrap_or(text);
        let path = std::path::absolute(path).map_err(|error| format!("{path}: {error}"))?;
        if path.exists() {
            let path = path.display();
            return Err(format!("{path} is there already: a run begins with a database of its own"));
        }
        match path.parent().filter(|folder| !folder.is_dir()) {
            Some(folder) => Err(format!("there is no folder {}", folder.display())),
            None => Ok(format!("sqlite://{}", path.display())),
        }
    }

    /// Makes what the run needs: in PostgreSQL a schema, unless the URL chooses one.
    pub(crate) async fn begin(url: &str) -> Result<Self, String> {
        let given = SecretString::from(url);
        if url.starts_with("sqlite:") || url.contains("options=") {
            return Ok(Self { url: given, schema: None });
        }
        let schema = chance::new_id("run");
        let made = store::make_schema(url, &schema).await.map_err(|error| error.to_string())?;
        Ok(Self { url: SecretString::from(made), schema: Some((given, schema)) })
    }

    /// For the acquirer.
    pub(crate) fn url(&self) -> SecretString {
        self.url.clone()
    }

    /// Takes away what was made.
    pub(crate) async fn end(self) -> Result<(), String> {
        let Some((url, schema)) = self.schema else { return Ok(()) };
        store::drop_schema(url.expose_secret(), &schema).await.map_err(|error| error.to_string())
    }
}
