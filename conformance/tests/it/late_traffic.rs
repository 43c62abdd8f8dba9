//! What an older scenario began stays in it, however late it comes.

use crate::foreign_kit::Changed;
use crate::suite::{Ran, run};

/// Makes calls of the payment before once more, at the beginning of the next: its scenario has begun,
/// its intent is declared, and the first exchange that Klarna sees in it is the late one.
fn late(again: &str) -> Changed {
    Changed::new()
        .program(
            "    extra = {\"Klarna-Network-Session-Token\": token} if token else {}\n",
            "    extra = {\"Klarna-Network-Session-Token\": token} if token else {}\n    \
             extra[\"Klarna-Idempotency-Key\"] = str(uuid.uuid4())\n    \
             CALLS.append((payment[\"path\"], body, extra))\n",
        )
        .program("SEEN_EVENTS = set()\n", "SEEN_EVENTS = set()\nCALLS = []\n")
        .program(
            "    body, step_up, token = authorize_body(order)\n",
            &format!(
                "    body, step_up, token = authorize_body(order)\n    \
                 earlier, CALLS[:] = CALLS[:], []\n    for path, sent, extra in earlier:\n{again}"
            ),
        )
}

const SAME: &str = "        log(\"late\", klarna(\"POST\", path, sent, extra)[0])\n";

const ANOTHER_PAYMENT: &str = "        of = {**sent[\"request_payment_transaction\"], \"payment_transaction_reference\": uuid.uuid4().hex}\n        \
     log(\"late\", klarna(\"POST\", path, {**sent, \"request_payment_transaction\": of}, {\"Klarna-Idempotency-Key\": str(uuid.uuid4())})[0])\n";

fn played(acquirer: &Changed) -> Ran {
    let tags = "@document or @AP-15";
    run(&["--acquirer", &acquirer.path(), "--jobs", "1", "--seed", "7", "--tags", tags])
}

fn late_calls(ran: &Ran) -> usize {
    ran.report("acquirer.log").lines().filter(|line| line.starts_with("late ")).count()
}

/// The late calls of this kind change nothing.
#[track_caller]
fn counts_for_nothing(again: &str) {
    let sound = played(&Changed::new());
    sound.must_exit(0);
    let ran = played(&late(again));
    ran.must_exit(0);
    assert!(late_calls(&ran) >= 3, "{}", ran.report("acquirer.log"));
    assert_eq!(ran.statuses(), sound.statuses(), "{again}");
}

#[test]
fn late_repeats_of_one_scenario_do_not_count_in_the_next() {
    counts_for_nothing(SAME);
}

/// The same place, and a call that no scenario began: so the test above would see one that counts.
#[test]
fn a_call_that_nobody_asked_for_counts_where_it_comes() {
    let ran = played(&late(ANOTHER_PAYMENT));
    ran.must_exit(1).must_say("authorize.unasked");
    assert!(late_calls(&ran) >= 1, "{}", ran.report("acquirer.log"));
}
