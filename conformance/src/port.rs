//! Ports for programs that must be told theirs before they listen.

use std::net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket};

use rand::RngExt as _;

/// Ports that the kernel gives to nobody by itself: its own, for outgoing connections and for port 0,
/// begin at 32768 on Linux and at 49152 elsewhere. From those, one that is free now may be taken by any
/// connection before the program comes to listen.
const OURS: std::ops::Range<u16> = 15_000..32_000;

/// How often another port is tried.
const ATTEMPTS: usize = 256;

/// A port that is free, and that no other run hands out while this lives.
#[derive(Debug)]
pub(crate) struct Reserved {
    /// The port, for TCP.
    pub(crate) number: u16,
    /// Runs beside each other tell by the same port of UDP, which nobody wants, that it is spoken for.
    _mark: UdpSocket,
}

/// Reserves a port of this address, until what is returned is dropped: then somebody should listen.
///
/// # Errors
/// When none is free.
#[expect(clippy::disallowed_methods, reason = "runs beside each other must not try the same ports")]
pub(crate) fn reserve(address: IpAddr) -> std::io::Result<Reserved> {
    let mut random = rand::rng();
    let mut ports = (0..ATTEMPTS).map(|_| random.random_range(OURS));
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrInUse);
    let reserved = ports.find_map(|number| match mark(address, number) {
        Ok(mark) => Some(Reserved { number, _mark: mark }),
        Err(error) => {
            last = error;
            None
        }
    });
    reserved.ok_or(last)
}

/// Marks a port, unless it is marked or taken.
fn mark(address: IpAddr, number: u16) -> std::io::Result<UdpSocket> {
    let mark = UdpSocket::bind((Ipv4Addr::LOCALHOST, number))?;
    TcpListener::bind((address, number))?;
    Ok(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_is_free_and_given_out_once() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let reserved = reserve(loopback).unwrap();
        assert!(OURS.contains(&reserved.number), "{reserved:?}");
        assert!(mark(loopback, reserved.number).is_err(), "{reserved:?} is given out twice");
        let listener = TcpListener::bind((loopback, reserved.number)).unwrap();
        let number = reserved.number;
        drop(reserved);
        assert!(mark(loopback, number).is_err(), "{number} is given out while somebody listens");
        drop(listener);
        assert!(mark(loopback, number).is_ok(), "{number} is not given back");
    }
}
