//! Links that lead to a person: profiles on platforms, home pages, contact links.

use super::Check;
use crate::detect::endings::tail;

pub(super) const CHECKS: &[Check] = &[Check {
    name: "profile-url",
    about: "a link to an account or home page on a platform known for them, or with a segment that starts with @ or ~",
    accepts: profile,
}];

/// Hosts and the first segment that an account follows; empty when the account is the first segment itself.
const PLATFORMS: &[(&str, &str)] = &[
    ("about.me", ""),
    ("behance.net", ""),
    ("bsky.app", "profile"),
    ("discord.gg", ""),
    ("facebook.com", ""),
    ("fb.com", ""),
    ("fb.me", ""),
    ("flickr.com", "people"),
    ("flickr.com", "photos"),
    ("github.com", ""),
    ("gitlab.com", ""),
    ("instagram.com", ""),
    ("keybase.io", ""),
    ("ko-fi.com", ""),
    ("last.fm", "user"),
    ("linkedin.com", "in"),
    ("linkedin.com", "pub"),
    ("linktr.ee", ""),
    ("m.me", ""),
    ("marktplaats.nl", "u"),
    ("onlyfans.com", ""),
    ("open.spotify.com", "user"),
    ("orcid.org", ""),
    ("patreon.com", ""),
    ("paypal.me", ""),
    ("pinterest.com", ""),
    ("pinterest.nl", ""),
    ("reddit.com", "u"),
    ("reddit.com", "user"),
    ("researchgate.net", "profile"),
    ("snapchat.com", "add"),
    ("soundcloud.com", ""),
    ("strava.com", "athletes"),
    ("t.me", ""),
    ("tikkie.me", "pay"),
    ("twitch.tv", ""),
    ("twitter.com", ""),
    ("vinted.nl", "member"),
    ("vk.com", ""),
    ("wa.me", ""),
    ("x.com", ""),
    ("youtube.com", "c"),
    ("youtube.com", "channel"),
    ("youtube.com", "user"),
];

/// The last four bytes of each platform.
static TAILS: [u32; PLATFORMS.len()] = {
    let mut tails = [0; PLATFORMS.len()];
    let (mut left, mut rest) = (tails.as_mut_slice(), PLATFORMS);
    while let ([slot, slots @ ..], [(platform, _), platforms @ ..]) = (left, rest) {
        *slot = tail(platform.as_bytes());
        (left, rest) = (slots, platforms);
    }
    tails
};

/// Hosts whose subdomain is somebody's.
const HOMES: &[&str] = &[
    "blogspot.com",
    "blogspot.nl",
    "wordpress.com",
    "tumblr.com",
    "substack.com",
    "weebly.com",
    "wixsite.com",
    "github.io",
];

/// First segments on platforms that are no account.
const RESERVED: &str = "about addlist apps business channel company dialog directory discover events explore features feed \
    gaming groups hashtag help home i intent jobs joinchat legal live login marketplace media messages notifications orgs p \
    permalink.php photo photo.php plugins policies policy pricing privacy public r reel reels rules school search settings \
    share share.php sharer sharer.php signup sponsors status stories story.php support tag tags terms topics tos tv video \
    videos watch www";

fn profile(candidate: &str) -> bool {
    let rest = candidate.split_once("://").map_or(candidate, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.split(':').next().unwrap_or(host);
    if path.is_empty() {
        return home(host);
    }
    let mut segments = path.split(['/', '?', '#']).filter(|s| !s.is_empty());
    let first = segments.next().unwrap_or("");
    let second = segments.next().unwrap_or("");
    let marked = |s: &str| s.len() > 2 && s.starts_with(['@', '~']) && !s.contains(',');
    marked(first) || marked(second) || account(host, first, second) || home(host)
}

fn account(host: &str, first: &str, second: &str) -> bool {
    // Most platforms are told from a host by its last four bytes.
    let last = tail(host.as_bytes());
    let alike = PLATFORMS.iter().zip(&TAILS).filter(|(_, tail)| **tail == last).map(|(platform, _)| platform);
    alike.filter(|(platform, _)| subdomain(host, platform).is_some()).any(|(_, lead)| match *lead {
        "" => {
            first.len() > 1 && !RESERVED.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(first))
        }
        lead => first.eq_ignore_ascii_case(lead) && !second.is_empty(),
    })
}

fn home(host: &str) -> bool {
    HOMES.iter().filter_map(|home| subdomain(host, home)).any(|sub| !matches!(sub, "" | "www" | "WWW"))
}

/// What stands before a domain in a host, without the dot; `None` when the host is of another domain.
fn subdomain<'h>(host: &'h str, domain: &str) -> Option<&'h str> {
    let (sub, tail) = host.split_at_checked(host.len().checked_sub(domain.len())?)?;
    if !tail.eq_ignore_ascii_case(domain) {
        return None;
    }
    if sub.is_empty() { Some(sub) } else { sub.strip_suffix('.') }
}
