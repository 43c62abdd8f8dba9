//! How an adapter says that the acquirer is started, or found.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use serde_saphyr::Spanned;
use url::Url;

use super::error::{self, AdapterError};
use super::file::{AttachFile, LaunchFile, ReadyFile};
use super::source::Place;
use super::template::{Template, TemplateError, Templates, context};
use super::variables::RunVariables;
use super::vars::PartnerBinding;
use crate::builtin;

/// How the acquirer comes to run.
#[derive(Debug, Clone)]
pub(super) enum Start {
    Attach(Url),
    Process(ProcessTemplates),
}

/// A process to start; every text is a template.
#[derive(Debug, Clone)]
pub(super) struct ProcessTemplates {
    /// The program and its arguments; no program for the built-in acquirer.
    program: Option<Template>,
    args: Vec<Template>,
    cwd: Option<Template>,
    env: Vec<(String, Template)>,
    files: Vec<(PathBuf, Template)>,
    ready: ReadyTemplates,
    within: Duration,
    stop: StopSignal,
}

#[derive(Debug, Clone)]
enum ReadyTemplates {
    StdoutJson(String),
    Http(Template),
}

/// A process to start, all templates rendered.
#[derive(Debug, Clone)]
pub(crate) struct ProcessPlan {
    /// `None` is the built-in acquirer.
    pub(crate) program: Option<String>,
    pub(crate) args: Vec<String>,
    /// As written in the adapter: relative to its folder.
    pub(crate) cwd: Option<String>,
    pub(crate) env: Vec<(String, String)>,
    /// Path below the work directory, and content.
    pub(crate) files: Vec<(PathBuf, String)>,
    pub(crate) ready: Ready,
    pub(crate) within: Duration,
    pub(crate) stop: StopSignal,
}

/// How the process tells that it is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ready {
    /// Its first line on standard output is a JSON object with this key, an URL.
    StdoutJson(String),
    /// This URL answers with any status below 500.
    Http(String),
}

/// What asks the process to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopSignal {
    Terminate,
    Interrupt,
}

/// An acquirer on this machine.
const EXAMPLE: &str = "http://127.0.0.1:8081";

/// How long a process may take to get ready when the adapter does not say.
const WITHIN: Duration = Duration::from_secs(20);

impl Start {
    pub(super) fn compile(
        launch: Option<&Spanned<LaunchFile>>,
        attach: Option<&Spanned<AttachFile>>,
        templates: &mut Templates,
    ) -> Result<Self, AdapterError> {
        match (launch, attach) {
            (Some(launch), None) => Ok(Self::Process(ProcessTemplates::compile(
                &launch.value,
                launch.referenced.into(),
                templates,
            )?)),
            (None, Some(attach)) => {
                let text = &attach.value.base_url;
                let url = Url::parse(&text.value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
                let url = url.ok_or_else(|| {
                    templates.source().complain(
                        text.referenced.into(),
                        &format!("\"{}\" is no http or https URL", text.value),
                        Some("attach: {base_url: \"http://127.0.0.1:8081\"}"),
                    )
                });
                match url {
                    Ok(url) => Ok(Self::Attach(url)),
                    // Noted, and another stands for it, so that the rest of the file can be looked at.
                    Err(error) => {
                        templates.source().sift::<()>(Err(error.clone()));
                        Url::parse(EXAMPLE).map(Self::Attach).map_err(|_| error)
                    }
                }
            }
            (Some(_), Some(attach)) => Err(templates.source().complain(
                attach.referenced.into(),
                "an adapter has launch or attach, not both",
                Some("launch starts the acquirer, attach finds one that runs"),
            )),
            (None, None) => Err(templates.source().whole(
                "neither launch nor attach says where the acquirer is",
                Some("launch: {command: [./acquirer]} or attach: {base_url: \"http://127.0.0.1:8081\"}"),
            )),
        }
    }

    /// Whether the acquirer's address is fixed before it runs.
    fn knows_base_url(&self) -> bool {
        match self {
            Self::Attach(_) => true,
            Self::Process(process) => matches!(process.ready, ReadyTemplates::Http(_)),
        }
    }

    pub(super) fn check(
        &self,
        templates: &Templates,
        partners: &[PartnerBinding],
    ) -> Result<(), AdapterError> {
        let Self::Process(process) = self else { return Ok(()) };
        let sample = RunVariables::sample(self.knows_base_url()).of_launch(partners);
        process.check(templates, &sample)
    }
}

impl ProcessTemplates {
    fn compile(file: &LaunchFile, place: Place, templates: &mut Templates) -> Result<Self, AdapterError> {
        let texts = |texts: &[Spanned<String>], templates: &mut Templates| {
            texts.iter().map(|text| templates.text(text)).collect::<Result<Vec<_>, _>>()
        };
        let (program, args) = match (&file.builtin, &file.command) {
            (Some(name), None) => {
                if name.value != builtin::NAME {
                    let place = name.referenced.into();
                    return Err(templates.source().unknown(
                        place,
                        "built-in acquirer",
                        &name.value,
                        &[builtin::NAME],
                    ));
                }
                (None, texts(&file.args, templates)?)
            }
            (None, Some(command)) => {
                let mut words = texts(&command.value, templates)?;
                words.extend(texts(&file.args, templates)?);
                if words.is_empty() {
                    let place = command.referenced.into();
                    return Err(templates.source().complain(place, "the command is empty", None));
                }
                let args = words.split_off(1);
                (words.pop(), args)
            }
            _ => {
                return Err(templates.source().complain(
                    place,
                    "launch takes exactly one of builtin and command",
                    Some("launch: {command: [python3, acquirer.py], ready: {http: \"{{ acquirer.base_url }}/\"}}"),
                ));
            }
        };
        let cwd = file.cwd.as_ref().map(|cwd| templates.text(cwd)).transpose()?;
        let env = file
            .env
            .iter()
            .map(|(name, value)| Ok((name.clone(), templates.text(value)?)))
            .collect::<Result<_, AdapterError>>()?;
        let files = file
            .files
            .iter()
            .map(|(path, content)| Ok((below(templates, path)?, templates.text(content)?)))
            .collect::<Result<_, AdapterError>>()?;
        let (ready, within) = ready(file.ready.as_ref(), templates)?;
        let stop = match file.stop.as_ref().map(|stop| (stop.value.as_str(), stop.referenced)) {
            None | Some(("SIGTERM", _)) => StopSignal::Terminate,
            Some(("SIGINT", _)) => StopSignal::Interrupt,
            Some((other, place)) => {
                let known = ["SIGTERM", "SIGINT"];
                return Err(templates.source().unknown(place.into(), "signal", other, &known));
            }
        };
        Ok(Self { program, args, cwd, env, files, ready, within, stop })
    }

    fn check(&self, templates: &Templates, sample: &Value) -> Result<(), AdapterError> {
        let texts = self.program.iter().chain(&self.args).chain(&self.cwd);
        let texts = texts.chain(self.env.iter().map(|(_, text)| text));
        let texts = texts.chain(self.files.iter().map(|(_, text)| text));
        let ready = match &self.ready {
            ReadyTemplates::Http(url) => Some(url),
            ReadyTemplates::StdoutJson(_) => None,
        };
        error::all(texts.chain(ready).map(|text| templates.check(text, sample))).map(drop)
    }

    /// Whether it is the built-in acquirer.
    pub(super) fn is_builtin(&self) -> bool {
        self.program.is_none()
    }

    /// Whether the runner must choose the port, for the process does not tell it.
    pub(super) fn needs_port(&self) -> bool {
        matches!(self.ready, ReadyTemplates::Http(_))
    }

    pub(super) fn render(
        &self,
        templates: &Templates,
        variables: &Value,
    ) -> Result<ProcessPlan, TemplateError> {
        let variables = context(variables);
        let text =
            |template: &Template| templates.render_text(template, &variables).map(Option::unwrap_or_default);
        let pairs = |pairs: &[(String, Template)]| {
            let mut rendered = Vec::new();
            for (name, template) in pairs {
                rendered
                    .extend(templates.render_text(template, &variables)?.map(|value| (name.clone(), value)));
            }
            Ok::<_, TemplateError>(rendered)
        };
        Ok(ProcessPlan {
            program: self.program.as_ref().map(text).transpose()?,
            args: self
                .args
                .iter()
                .filter_map(|arg| templates.render_text(arg, &variables).transpose())
                .collect::<Result<_, _>>()?,
            cwd: self.cwd.as_ref().map(text).transpose()?,
            env: pairs(&self.env)?,
            files: self
                .files
                .iter()
                .map(|(path, content)| Ok((path.clone(), text(content)?)))
                .collect::<Result<_, TemplateError>>()?,
            ready: match &self.ready {
                ReadyTemplates::StdoutJson(key) => Ready::StdoutJson(key.clone()),
                ReadyTemplates::Http(url) => Ready::Http(text(url)?),
            },
            within: self.within,
            stop: self.stop,
        })
    }
}

fn ready(
    file: Option<&Spanned<ReadyFile>>,
    templates: &mut Templates,
) -> Result<(ReadyTemplates, Duration), AdapterError> {
    let Some(spanned) = file else {
        return Ok((ReadyTemplates::StdoutJson("listening".to_owned()), WITHIN));
    };
    let within = spanned.value.within_ms.map_or(WITHIN, Duration::from_millis);
    match (&spanned.value.stdout_json, &spanned.value.http) {
        (Some(key), None) => Ok((ReadyTemplates::StdoutJson(key.value.clone()), within)),
        (None, Some(url)) => Ok((ReadyTemplates::Http(templates.text(url)?), within)),
        _ => Err(templates.source().complain(
            spanned.referenced.into(),
            "ready takes exactly one of stdout_json and http",
            Some("ready: {stdout_json: listening} or ready: {http: \"{{ acquirer.base_url }}/health\"}"),
        )),
    }
}

/// A relative path that stays below the work directory.
fn below(templates: &Templates, path: &Spanned<String>) -> Result<PathBuf, AdapterError> {
    let relative = Path::new(&path.value);
    let stays = !path.value.is_empty()
        && relative.components().all(|component| matches!(component, Component::Normal(_)));
    if stays {
        Ok(relative.to_path_buf())
    } else {
        Err(templates.source().complain(
            path.referenced.into(),
            &format!("\"{}\" is no path below the work directory", path.value),
            Some("files are written into {{ run.work_dir }}: give a relative path without .."),
        ))
    }
}
