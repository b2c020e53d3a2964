//! Keyed digests: how the vault recognises items, versions and people without storing who they are.

use crate::capture::{Account, Item};
use crate::model::{CaptureId, ItemDigest, ItemKind, OrganisationId, Platform, PrivateText};
use crate::seal::DigestKey;
use crate::store::catalogue::{Channel, FindToken};

/// Digests for items of one platform instance.
pub struct Names<'a> {
    key: &'a DigestKey,
    organisation: &'a OrganisationId,
    platform: Platform,
    instance: &'a str,
    channel: &'a str,
}

impl<'a> Names<'a> {
    /// Digests under `key` for items that come in for a channel.
    pub fn of_channel(key: &'a DigestKey, channel: &'a Channel) -> Self {
        Self {
            channel: channel.id.as_str(),
            ..Self::new(key, &channel.organisation, channel.platform, &channel.instance)
        }
    }

    const fn new(
        key: &'a DigestKey,
        organisation: &'a OrganisationId,
        platform: Platform,
        instance: &'a str,
    ) -> Self {
        Self { key, organisation, platform, instance, channel: "" }
    }

    /// The digest of a platform's name for an item. A URI means the same on every instance, an id only on its own.
    /// Each organisation has records of its own: what two of them captured is sealed under two master keys.
    pub fn item(&self, name: &PrivateText) -> ItemDigest {
        let name = name.expose();
        let instance = if name.contains("://") { "" } else { self.instance };
        self.key.digest(
            "name",
            &[
                self.organisation.as_str().as_bytes(),
                self.platform.as_str().as_bytes(),
                instance.as_bytes(),
                name.as_bytes(),
            ],
        )
    }

    /// The digests of all names of an item. A file is known by what it is called and by its bytes, within its channel: what a platform
    /// calls an item, and what another account calls its files, is never the same.
    pub fn of(&self, item: &Item) -> Vec<ItemDigest> {
        if item.kind != ItemKind::Attachment {
            return item.names.iter().map(|name| self.item(name)).collect();
        }
        let bytes = item.file_sha256.unwrap_or_default();
        let file = |name: &PrivateText| {
            let of = [self.organisation.as_str(), self.channel, name.expose()].map(str::as_bytes);
            self.key.digest("file", &[of[0], of[1], of[2], &bytes])
        };
        item.names.iter().map(file).collect()
    }

    /// The digest under which a file is named in one capture.
    pub fn in_capture(&self, capture: CaptureId, path: ItemDigest) -> ItemDigest {
        self.key.digest("file-in-capture", &[capture.uuid().as_bytes(), path.as_bytes()])
    }

    /// The digest of a name for a thread: platforms number threads like items.
    pub fn thread(&self, name: &PrivateText) -> ItemDigest {
        self.item(name)
    }

    /// The digest of what an item says: equal for two captures of the same version.
    pub fn version(&self, item: &Item) -> ItemDigest {
        let mut meaning: zeroize::Zeroizing<Vec<u8>> = zeroize::Zeroizing::new(Vec::with_capacity(1024));
        item.write_meaning(&mut |bytes| meaning.extend_from_slice(bytes));
        self.key.digest("version", &[&meaning])
    }

    /// The digest of a person's account: by handle, because a mention often gives no id.
    pub fn person(&self, account: &Account) -> ItemDigest {
        let handle = account.handle.expose();
        let local = handle.strip_suffix(self.instance).and_then(|h| h.strip_suffix('@')).unwrap_or(handle);
        let known = match &account.native_id {
            Some(id) if handle.is_empty() => format!("id:{}", id.expose()),
            _ => format!("@{}", local.to_lowercase()),
        };
        let known = zeroize::Zeroizing::new(known);
        let instance = if local.contains('@') { "" } else { self.instance };
        self.key.digest("person", &[self.platform.as_str().as_bytes(), instance.as_bytes(), known.as_bytes()])
    }

    /// What something is found by, of its kind, within the organisation.
    pub fn token(&self, kind: &str, what: &[u8]) -> FindToken {
        let digest = self.key.digest("find", &[self.organisation.as_str().as_bytes(), kind.as_bytes(), what]);
        let (first, _) = digest.as_bytes().split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        FindToken::from_bytes(*first)
    }

    /// Whether `account` is the channel's own.
    pub fn is_channel(&self, account: &Account, channel_account: &str) -> bool {
        let handle = account.handle.expose();
        let (local, host) = handle.split_once('@').unwrap_or((handle, self.instance));
        local.eq_ignore_ascii_case(channel_account) && host.eq_ignore_ascii_case(self.instance)
    }
}

/// The digest of the name of a file, whatever capture it is in: as its entry or as a post has it.
pub fn path(key: &DigestKey, name: &PrivateText) -> ItemDigest {
    key.digest("file-path", &[name.expose().as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: Option<&str>, handle: &str) -> Account {
        Account { native_id: id.map(Into::into), handle: handle.into(), display_name: "".into() }
    }

    #[test]
    fn one_person_has_one_digest_however_they_are_written() {
        let (key, bzk) = (DigestKey::from_bytes(&[1; 32]), "bzk".parse().unwrap());
        let names = Names::new(&key, &bzk, Platform::Mastodon, "social.example");
        let fatima = names.person(&account(Some("1"), "Fatima"));
        assert_eq!(fatima, names.person(&account(None, "fatima")));
        assert_eq!(fatima, names.person(&account(None, "fatima@social.example")));
        assert_ne!(fatima, names.person(&account(Some("1"), "fatima@elsewhere.example")));
        let elsewhere = Names::new(&key, &bzk, Platform::Mastodon, "elsewhere.example");
        assert_ne!(fatima, elsewhere.person(&account(Some("1"), "fatima")));
    }

    #[test]
    fn an_id_belongs_to_its_instance_and_a_uri_to_none() {
        let (key, bzk) = (DigestKey::from_bytes(&[1; 32]), "bzk".parse().unwrap());
        let here = Names::new(&key, &bzk, Platform::Mastodon, "social.example");
        let there = Names::new(&key, &bzk, Platform::Mastodon, "elsewhere.example");
        assert_ne!(here.item(&"12".into()), there.item(&"12".into()));
        assert_eq!(here.item(&"https://a.example/12".into()), there.item(&"https://a.example/12".into()));
        let other = "rws".parse().unwrap();
        let others = Names::new(&key, &other, Platform::Mastodon, "social.example");
        assert_ne!(
            here.item(&"12".into()),
            others.item(&"12".into()),
            "each organisation has its own record"
        );
    }

    #[test]
    fn the_channel_knows_its_own_account() {
        let (key, bzk) = (DigestKey::from_bytes(&[1; 32]), "bzk".parse().unwrap());
        let names = Names::new(&key, &bzk, Platform::Mastodon, "social.example");
        assert!(names.is_channel(&account(None, "MinLOW"), "minlow"));
        assert!(names.is_channel(&account(None, "minlow@social.example"), "minlow"));
        assert!(!names.is_channel(&account(None, "minlow@troll.example"), "minlow"));
    }
}
