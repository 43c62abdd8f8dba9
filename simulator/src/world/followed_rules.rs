//! The rules file of a running simulator: read at the start, and again whenever it changes.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use klarna_schemas::simulator::rules::RulesFileView;

use crate::behaviour::rules::Rules;
use crate::rules_file::{self, RulesError};

/// The file, if there is one, and what was last read from it.
#[derive(Debug)]
pub(crate) struct FollowedRules {
    file: Option<PathBuf>,
    state: Mutex<Followed>,
}

#[derive(Debug)]
struct Followed {
    rules: Rules,
    revision: u64,
    mistake: Option<RulesError>,
    seen: Option<Stamp>,
    /// Whether it was not there at the last look.
    was_gone: bool,
}

/// What a file is told apart from its earlier self by.
type Stamp = (SystemTime, u64);

impl FollowedRules {
    /// Reads the file at the start; an empty path is none.
    pub(super) fn start(file: &Path) -> Result<Self, RulesError> {
        let file = (!file.as_os_str().is_empty()).then(|| file.to_owned());
        let seen = file.as_deref().and_then(stamp);
        let rules = file.as_deref().map(rules_file::read).transpose()?.unwrap_or_default();
        let state = Followed { rules, revision: 0, mistake: None, seen, was_gone: false };
        Ok(Self { file, state: Mutex::new(state) })
    }

    /// The rules for one Partner account.
    pub(super) fn of_account(&self, account: &str) -> Rules {
        self.lock().rules.of_account(account)
    }

    /// Whether there is a file to follow.
    pub(super) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// Whether the file has changed since it was last read.
    pub(super) fn has_changed(&self) -> bool {
        let now = self.file.as_deref().and_then(stamp);
        let mut state = self.lock();
        let was_gone = std::mem::replace(&mut state.was_gone, now.is_none());
        // One that is gone for a moment is being replaced; one that stays away was taken away.
        now != state.seen && (now.is_some() || was_gone)
    }

    /// Reads the file again. Whether other rules hold now: a file with mistakes changes nothing.
    pub(super) fn read_again(&self) -> bool {
        let Some(file) = self.file.as_deref() else { return false };
        // Before the text, so that a change in between is seen the next time.
        let seen = stamp(file);
        let read = rules_file::read(file);
        let mut state = self.lock();
        state.seen = seen;
        state.revision += 1;
        match read {
            Ok(rules) => {
                tracing::info!(rules = rules.len(), "the rules file was read again");
                (state.rules, state.mistake) = (rules, None);
                true
            }
            Err(error) => {
                tracing::error!(%error, "the rules file has mistakes: the rules before it hold on");
                state.mistake = Some(error);
                false
            }
        }
    }

    pub(super) fn view(&self) -> RulesFileView {
        let state = self.lock();
        RulesFileView {
            file: self.file.as_ref().map(|file| file.display().to_string()),
            revision: state.revision,
            rules: state.rules.len(),
            mistake: state.mistake.as_ref().map(ToString::to_string),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Followed> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stamp(file: &Path) -> Option<Stamp> {
    let about = std::fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len()))
}
