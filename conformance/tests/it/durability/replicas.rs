//! Three acquirers on one PostgreSQL, under load: one is killed, one hangs for longer than its lease
//! and comes back, and Klarna forgets them all.

use klarna_schemas::simulator::control::Registrations;
use rustix::process::Signal;

use super::fleet::{Fleet, LEASE, pass, postgres, until};

const PAYMENTS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn none_is_lost_and_none_is_finalised_twice() {
    let Some((server, schema, url)) = postgres().await else { return };
    let mut fleet = Fleet::start(3, Some(&url)).await;
    until("Klarna knows the webhook", async || (fleet.registered().await == (1, 1)).then_some(())).await;
    let shop = fleet.shop();
    let open = tokio::spawn({
        let shop = shop.clone();
        async move { shop.open(12).await }
    });
    until("they are at it", async || (open.is_finished() || shop.bought() >= PAYMENTS / 4).then_some(()))
        .await;
    fleet.programs[0].child.kill().await.unwrap();
    fleet.programs[1].signal(Signal::STOP);
    // What it had claimed is taken up by the third meanwhile; then it goes on as if nothing had been.
    pass(LEASE * 2).await;
    fleet.programs[1].signal(Signal::CONT);
    until("enough is bought", async || (open.is_finished() || shop.bought() >= PAYMENTS).then_some(())).await;
    shop.close();
    let bought = open.await.unwrap();
    fleet.everything_is_accounted_for(bought).await;
    assert_eq!(fleet.registered().await, (1, 1), "signing keys and webhooks at Klarna");

    // The two that are left mend what Klarna has forgotten, and only once.
    let control = fleet.simulator.control();
    control
        .forget_registrations("krn:partner:global:account:test:LOCALACQ", Registrations::Both)
        .await
        .unwrap();
    assert_eq!(fleet.registered().await, (0, 0));
    until("it is mended", async || (fleet.registered().await == (1, 1)).then_some(())).await;
    drop(fleet);
    reference_acquirer::store::drop_schema(&server, &schema).await.unwrap();
}
