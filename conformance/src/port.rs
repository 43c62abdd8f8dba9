//! Ports for programs that must be told theirs before they listen.

use std::net::{IpAddr, TcpListener};

use rand::RngExt as _;

/// Ports that the kernel gives to nobody by itself: its own, for outgoing connections and for port 0,
/// begin at 32768 on Linux and at 49152 elsewhere. From those, one that is free now may be taken by any
/// connection before the program comes to listen.
const OURS: std::ops::Range<u16> = 15_000..32_000;

/// How often another port is tried before the kernel is asked for one of its own.
const ATTEMPTS: usize = 64;

/// A port of this address that is free now.
///
/// # Errors
/// When none is.
#[expect(clippy::disallowed_methods, reason = "runs beside each other must not try the same ports")]
pub(crate) fn free(address: IpAddr) -> std::io::Result<u16> {
    let mut random = rand::rng();
    let mut ours = (0..ATTEMPTS).map(|_| random.random_range(OURS));
    let free = ours.find(|port| TcpListener::bind((address, *port)).is_ok());
    match free {
        Some(port) => Ok(port),
        None => Ok(TcpListener::bind((address, 0))?.local_addr()?.port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_is_none_that_the_kernel_gives_away() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        for _ in 0..20 {
            let port = free(loopback).unwrap();
            assert!(OURS.contains(&port), "{port}");
            assert!(TcpListener::bind((loopback, port)).is_ok(), "{port}");
        }
    }
}
