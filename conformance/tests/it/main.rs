//! The conformance suite's tests over real sockets and processes.

#[cfg(test)]
mod adapter;
#[cfg(test)]
mod adapter_commands;
#[cfg(test)]
mod bad_surroundings;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod capabilities;
#[cfg(test)]
mod databases;
#[cfg(test)]
mod defects;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod durability;
#[cfg(test)]
mod exit_codes;
#[cfg(test)]
mod expected;
#[cfg(test)]
mod for_partners;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod foreign_kit;
#[cfg(test)]
mod gateways;
#[cfg(test)]
mod late_traffic;
#[cfg(test)]
mod launch;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod lint;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod mutants;
#[cfg(test)]
mod own_features;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod partner;
#[cfg(test)]
mod pausing;
#[cfg(test)]
mod public_urls;
#[cfg(test)]
mod reach;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod teardown;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod tour;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod whole_run;
