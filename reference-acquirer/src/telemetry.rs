//! Logs to standard error and metrics for Prometheus.
//!
//! Logs name payments, events and Klarna's correlation ids; they never hold a key, a token, a body
//! or personal data.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::clock;
use crate::config::{LogFormat, Logs};
use crate::store::{Store, Task};

/// Buckets of all histograms: from a quick call on loopback to Klarna's own time-out.
const DURATION_BUCKETS_SECONDS: [f64; 12] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 60.0];

/// How often measurements are folded into their buckets; until then each takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts the logs of this process. A second start changes nothing.
pub fn start_logs(settings: &Logs) -> Result<(), String> {
    let filter = EnvFilter::try_new(&settings.filter)
        .map_err(|error| format!("logs.filter {:?} is no filter: {error}", settings.filter))?;
    let registry = tracing_subscriber::registry().with(filter);
    // Only fails where logs run already, as they do when servers share a process.
    let _ = match settings.format {
        LogFormat::Text => registry
            .with(tracing_subscriber::fmt::layer().with_ansi(false).with_writer(std::io::stderr))
            .try_init(),
        LogFormat::Json => {
            registry.with(tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr)).try_init()
        }
    };
    Ok(())
}

/// The metrics of this process; all servers in it share them.
pub fn metrics_handle() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let builder = PrometheusBuilder::new();
            // The buckets are a constant and not empty, which is all that can be wrong with them.
            let recorder = match builder.set_buckets(&DURATION_BUCKETS_SECONDS) {
                Ok(builder) => builder.build_recorder(),
                Err(_) => PrometheusBuilder::new().build_recorder(),
            };
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another recorder is in place; /metrics stays empty");
            }
            describe();
            begin_at_zero();
            handle
        })
        .clone()
}

/// Keeps the metrics small, also where nobody reads them, and measures the open work.
pub async fn keep_metrics(metrics: PrometheusHandle, store: Arc<dyn Store>, stop: CancellationToken) {
    loop {
        metrics.run_upkeep();
        measure_open_work(store.as_ref()).await;
        measure_dead_letters(store.as_ref()).await;
        if tokio::time::timeout(UPKEEP, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}

/// How many rows wait, and how late the first of them is: the age of work tells a stuck worker, its amount
/// does not.
async fn measure_open_work(store: &dyn Store) {
    let open = match store.open_work().await {
        Ok(open) => open,
        Err(error) => {
            tracing::warn!(%error, "the open work cannot be measured");
            return;
        }
    };
    for task in Task::ALL {
        let work = open.iter().find(|work| work.task == task);
        let rows = work.map_or(0, |work| work.rows);
        let late =
            work.map_or(0.0, |work| clock::now().duration_since(work.first_due).as_secs_f64().max(0.0));
        metrics::gauge!("acquirer_open_work_rows", "task" => task.as_str())
            .set(f64::from(u32::try_from(rows).unwrap_or(u32::MAX)));
        metrics::gauge!("acquirer_open_work_late_seconds", "task" => task.as_str()).set(late);
    }
}

async fn measure_dead_letters(store: &dyn Store) {
    match store.dead_letter_count().await {
        Ok(letters) => metrics::gauge!("acquirer_dead_letters_rows")
            .set(f64::from(u32::try_from(letters).unwrap_or(u32::MAX))),
        Err(error) => tracing::warn!(%error, "the dead letters cannot be counted"),
    }
}

/// What happens seldom is there from the start: an alarm cannot tell what is not measured from what has
/// not happened, and a rate misses the first time.
fn begin_at_zero() {
    metrics::gauge!("acquirer_klarna_breaker_open").set(0.0);
    for outcome in ["completed", "declined", "canceled", "expired", "open", "unanswered", "refused"] {
        metrics::counter!("acquirer_reconciliations_total", "outcome" => outcome).absolute(0);
    }
    for outcome in ["delivered", "postponed", "given_up"] {
        metrics::counter!("acquirer_notifications_total", "outcome" => outcome).absolute(0);
    }
}

fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_gauge!(
        "acquirer_open_work_rows",
        Unit::Count,
        "Rows of the outbox that are not finished, by task; a step-up has one that is due only when it is looked at."
    );
    describe_gauge!(
        "acquirer_open_work_late_seconds",
        Unit::Seconds,
        "How long the oldest row has been due, by task; 0 where none is."
    );
    describe_gauge!(
        "acquirer_dead_letters_rows",
        Unit::Count,
        "Notifications that were given up and not sent again since."
    );
    describe_gauge!("acquirer_klarna_breaker_open", Unit::Count, "1 while calls to Klarna are held back.");
    describe_histogram!(
        "acquirer_webhook_lag_seconds",
        Unit::Seconds,
        "From the time in an event to its being stored."
    );
    describe_counter!(
        "acquirer_reconciliations_total",
        Unit::Count,
        "Reads of step-ups without a webhook, by outcome."
    );
    describe_counter!(
        "acquirer_klarna_calls_total",
        Unit::Count,
        "Calls to Klarna by operation and outcome."
    );
    describe_histogram!("acquirer_klarna_call_duration_seconds", Unit::Seconds, "Time of calls to Klarna.");
    describe_counter!("acquirer_webhooks_received_total", Unit::Count, "Deliveries of Klarna by outcome.");
    describe_counter!("acquirer_payment_changes_total", Unit::Count, "Changes of payments by new state.");
    describe_counter!("acquirer_notifications_total", Unit::Count, "Attempts to tell Partners by outcome.");
    describe_histogram!(
        "acquirer_notification_duration_seconds",
        Unit::Seconds,
        "Time of attempts to tell Partners."
    );
}
