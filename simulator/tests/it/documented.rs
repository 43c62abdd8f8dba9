//! The commands of a page of the documentation, run as they are typed.

use std::process::{Command, Output};

use crate::klarna::Klarna;

/// What stands between fences of shell on a page.
pub(crate) fn fences(page: &str) -> Vec<&str> {
    let fenced = page.split("```").skip(1).step_by(2);
    fenced.map(|fence| fence.strip_prefix("bash\n").expect("every fence of these pages is bash")).collect()
}

/// Runs commands in one shell, each whether or not the one before it went well. Only what stands for the
/// simulator is another: the one that runs already, wherever it listens.
pub(crate) async fn run(klarna: &Klarna, commands: &str) -> Output {
    let commands = commands.replace("http://127.0.0.1:8080", klarna.url("").as_str());
    let shell =
        format!("klarna-simulator() {{ :; }}\ncurl() {{ command curl --noproxy '*' \"$@\"; }}\n{commands}");
    let run = tokio::task::spawn_blocking(move || {
        Command::new("bash").args(["-c", &shell]).output().expect("these tests need bash and curl")
    });
    run.await.unwrap()
}
