//! How a scenario ended.

use klarna_schemas::simulator::finding::Severity;

use crate::model::ScenarioStatus;
use crate::world::ScenarioRecord;

/// How a scenario of `planned` steps ended, and why where the status alone does not say.
///
/// What saw nothing to judge is not run: it is never green.
pub fn of_scenario(record: &ScenarioRecord, planned: usize) -> (ScenarioStatus, Option<String>) {
    if let Some(why) = &record.broken {
        return (ScenarioStatus::Errored, Some(why.clone()));
    }
    if record.found.iter().any(|found| found.finding.severity == Severity::Fails) {
        return (ScenarioStatus::Failed, None);
    }
    if let Some(why) = &record.nothing_to_judge {
        return (ScenarioStatus::NotRun, Some(why.clone()));
    }
    if let Some(why) = &record.not_applicable {
        return (ScenarioStatus::NotApplicable, Some(why.clone()));
    }
    let held = record.steps.iter().filter(|step| step.failure.is_none()).count();
    if held < planned {
        return (ScenarioStatus::Errored, Some(format!("only {held} of {planned} steps were played")));
    }
    if record.judged.values().sum::<u64>() == 0 {
        return (ScenarioStatus::NotRun, Some("no step judged anything".to_owned()));
    }
    (ScenarioStatus::Passed, None)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::world::StepRecord;

    fn played(failure: Option<&str>) -> ScenarioRecord {
        let step = StepRecord {
            line: 1,
            took: Duration::ZERO,
            remarks: Vec::new(),
            failure: failure.map(str::to_owned),
        };
        let mut record = ScenarioRecord { steps: vec![step], ..ScenarioRecord::default() };
        record.judged.insert("x".to_owned(), 1);
        record
    }

    #[test]
    fn only_what_judged_something_is_green() {
        assert_eq!(of_scenario(&played(None), 1).0, ScenarioStatus::Passed);
        let mut nothing = played(None);
        nothing.judged.clear();
        assert_eq!(of_scenario(&nothing, 1).0, ScenarioStatus::NotRun);
    }

    #[test]
    fn a_scenario_that_stops_early_is_not_green() {
        assert_eq!(of_scenario(&played(None), 2).0, ScenarioStatus::Errored);
        assert_eq!(of_scenario(&played(Some("no")), 1).0, ScenarioStatus::Errored);
        let mut unjudged = played(Some("nothing to judge"));
        unjudged.nothing_to_judge = Some("why".to_owned());
        assert_eq!(of_scenario(&unjudged, 1), (ScenarioStatus::NotRun, Some("why".to_owned())));
        let mut not_asked = played(Some("not applicable"));
        not_asked.not_applicable = Some("why".to_owned());
        assert_eq!(of_scenario(&not_asked, 1), (ScenarioStatus::NotApplicable, Some("why".to_owned())));
        not_asked.nothing_to_judge = Some("lost".to_owned());
        assert_eq!(of_scenario(&not_asked, 1).0, ScenarioStatus::NotRun, "the worse of the two");
    }
}
