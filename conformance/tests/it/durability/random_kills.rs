//! Killed at random moments under load, again and again: every payment is accounted for.

use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::fleet::{Fleet, pass, postgres, until};

/// At least so many payments, and so many kills; [`VARIABLES`] may ask for others.
const PAYMENTS: u64 = 300;
const KILLS: u64 = 8;

/// Says which moments, for whoever wants the same again.
const SEED: u64 = 20_260_101;

/// For trials by hand: payments, kills, seed.
const VARIABLES: [&str; 3] = ["KILLED_PAYMENTS", "KILLED_TIMES", "KILLED_SEED"];

#[expect(clippy::disallowed_methods, reason = "tests have no settings")]
fn asked() -> [u64; 3] {
    let or = |name: &str, or| std::env::var(name).map_or(or, |text| text.parse().unwrap());
    let [payments, kills, seed] = VARIABLES;
    [or(payments, PAYMENTS), or(kills, KILLS), or(seed, SEED)]
}

async fn killed_under_load(url: Option<&str>) {
    let mut fleet = Fleet::start(1, url).await;
    let shop = fleet.shop();
    let open = tokio::spawn({
        let shop = shop.clone();
        async move { shop.open(12).await }
    });
    let [payments, kills, seed] = asked();
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    for kill in 0..kills {
        // Spread over all payments, and at any moment of one.
        let share = payments * kill / kills;
        until("so many are bought", async || {
            (open.is_finished() || shop.bought() as u64 >= share).then_some(())
        })
        .await;
        pass(Duration::from_millis(chance.random_range(30..900))).await;
        fleet.restart(0).await;
    }
    until("enough is bought", async || {
        (open.is_finished() || shop.bought() as u64 >= payments).then_some(())
    })
    .await;
    shop.close();
    let bought = open.await.unwrap();
    fleet.everything_is_accounted_for(bought).await;
    println!("{bought} payments, {kills} kills, seed {seed}: every one accounted for");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    killed_under_load(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql() {
    let Some((server, schema, url)) = postgres().await else { return };
    killed_under_load(Some(&url)).await;
    reference_acquirer::store::drop_schema(&server, &schema).await.unwrap();
}
