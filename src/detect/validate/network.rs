//! Addresses on networks.

use super::Check;
use super::characters::Characters;
use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "ipv4",
        about: "four bytes, also with dots in brackets and with a prefix length; not 0.x nor 255.255.255.255 (RFC 791)",
        accepts: ipv4,
    },
    Check {
        name: "ipv6",
        about: "any form of RFC 4291, also with a zone and a prefix length; not :: nor ::1",
        accepts: ipv6,
    },
    Check {
        name: "mac",
        about: "six bytes that are not all the same (IEEE 802); with dashes or dots at least one letter",
        accepts: mac,
    },
];

fn ipv4(candidate: &str) -> bool {
    let plain: String = candidate.chars().filter(|c| !matches!(c, '[' | ']' | '(' | ')' | ' ')).collect();
    let (address, length) = prefixed(&plain);
    length <= 32
        && address.parse::<Ipv4Addr>().is_ok_and(|ip| !ip.is_broadcast() && ip.octets().first() != Some(&0))
}

/// The address and its prefix length, 0 when there is none.
fn prefixed(candidate: &str) -> (&str, u32) {
    match candidate.split_once('/') {
        Some((address, length)) => (address, length.parse().unwrap_or(u32::MAX)),
        None => (candidate, 0),
    }
}

fn ipv6(candidate: &str) -> bool {
    if candidate.bytes().filter(|b| *b == b':').count() < 2 {
        return false;
    }
    let (address, length) = prefixed(candidate);
    let address = address.split('%').next().unwrap_or(address);
    let mut groups = address.split(':').filter(|g| !g.is_empty());
    let long = groups.clone().count() > 2 || groups.next().is_some_and(|g| g.len() > 2);
    long && length <= 128
        && address.bytes().filter(|b| *b == b':').count() >= 2
        && address.parse::<Ipv6Addr>().is_ok_and(|ip| !ip.is_unspecified() && !ip.is_loopback())
}

fn mac(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let Some(hex) = kept.exactly::<12>() else { return false };
    let numbers_in_a_row = candidate.contains(['-', '.']) && hex.iter().all(u8::is_ascii_digit);
    hex.iter().all(u8::is_ascii_hexdigit) && !numbers_in_a_row && hex.iter().any(|b| Some(b) != hex.first())
}
