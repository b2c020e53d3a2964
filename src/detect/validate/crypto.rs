//! Wallets of cryptocurrencies, by their checksums.

use super::Check;
use aws_lc_rs::digest::{SHA256, digest};

pub(super) const CHECKS: &[Check] = &[Check {
    name: "wallet",
    about: "Base58Check of Bitcoin, Litecoin, Dogecoin, Dash, Tron; bech32 and bech32m (BIP 173, BIP 350); 0x and forty hex digits; Monero by form",
    accepts: wallet,
}];

fn wallet(candidate: &str) -> bool {
    base58_check(candidate) || bech32(candidate) || ethereum(candidate) || monero(candidate)
}

const BASE58: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Version bytes of addresses: Bitcoin, its test network, Litecoin, Dogecoin, Dash, Tron.
const VERSIONS: &[u8] = &[0x00, 0x05, 0x6f, 0xc4, 0x30, 0x32, 0x1e, 0x16, 0x4c, 0x10, 0x41];

/// Version, twenty bytes and the first four bytes of SHA-256 of SHA-256 over them.
fn base58_check(candidate: &str) -> bool {
    let Some(bytes) = (26..=35).contains(&candidate.len()).then(|| base58(candidate)).flatten() else {
        return false;
    };
    let Some((payload, check)) = bytes.split_at_checked(21) else { return false };
    let twice = digest(&SHA256, digest(&SHA256, payload).as_ref());
    payload.first().is_some_and(|v| VERSIONS.contains(v)) && twice.as_ref().starts_with(check)
}

/// The 25 bytes that a Base58 number stands for; `None` when it is larger or holds another character.
fn base58(text: &str) -> Option<[u8; 25]> {
    let mut bytes = [0_u8; 25];
    for character in text.bytes() {
        let value = BASE58.iter().position(|b| *b == character)?;
        let mut carry = u32::try_from(value).ok()?;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 58;
            *byte = u8::try_from(carry & 0xff).ok()?;
            carry >>= 8;
        }
        if carry > 0 {
            return None;
        }
    }
    Some(bytes)
}

const BECH32: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

fn bech32(candidate: &str) -> bool {
    let mixed = candidate.bytes().any(|b| b.is_ascii_lowercase())
        && candidate.bytes().any(|b| b.is_ascii_uppercase());
    let lower = candidate.to_ascii_lowercase();
    let Some((prefix, data)) = lower.split_once('1') else { return false };
    if mixed || !matches!(prefix, "bc" | "tb" | "ltc") || !(14..=90).contains(&lower.len()) {
        return false;
    }
    let spread = prefix.bytes().map(|b| b >> 5).chain([0]).chain(prefix.bytes().map(|b| b & 31));
    let mut sum = spread.fold(1, polymod);
    for byte in data.bytes() {
        let Some(value) = BECH32.iter().position(|b| *b == byte).and_then(|v| u8::try_from(v).ok()) else {
            return false;
        };
        sum = polymod(sum, value);
    }
    matches!(sum, 1 | 0x2bc8_30a3)
}

fn polymod(sum: u32, value: u8) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let top = sum >> 25;
    let shifted = ((sum & 0x01ff_ffff) << 5) ^ u32::from(value);
    GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1).fold(shifted, |sum, (_, g)| sum ^ g)
}

fn ethereum(candidate: &str) -> bool {
    let hex = candidate.strip_prefix("0x").or_else(|| candidate.strip_prefix("0X")).unwrap_or("");
    hex.len() == 40
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
        && hex.bytes().any(|b| Some(b) != hex.bytes().next())
}

fn monero(candidate: &str) -> bool {
    candidate.len() == 95
        && candidate.starts_with(['4', '8'])
        && candidate.bytes().all(|b| BASE58.contains(&b))
}
