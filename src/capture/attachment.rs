//! Files that an archive holds beside what was said: pictures, films and sound of its posts and messages.
//!
//! Each is an item, so that it has a key of its own: it can be opened, and goes when the posts go that it is attached to. It is no
//! record of anyone's and is counted apart. What it shows nobody looks through, so it is never projected. What is attached is
//! named by posts as the archive names its files.

use super::containers::Input;
use super::gather::{JsonReading, unread};
use super::item::{Item, MediaKind};
use super::whole::Whole;
use super::{Format, Limits};
use crate::model::{ItemKind, Platform, PrivateText};
use aws_lc_rs::digest::{SHA256, digest};

pub(super) const READING: JsonReading = unread("file", Platform::Web);

/// What a file is that begins so, by the marks that its format begins with; none where it is no picture, film or sound.
pub(super) fn begins(head: &[u8]) -> Option<MediaKind> {
    let inside = |at: usize, mark: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(mark));
    let riff = |mark: &[u8]| inside(0, b"RIFF") && inside(8, mark);
    let brand = |marks: &[&[u8]]| inside(4, b"ftyp") && marks.iter().any(|mark| inside(8, mark));
    match () {
        // GIF: as platforms call it, a short silent film.
        () if inside(0, b"GIF87a") || inside(0, b"GIF89a") => Some(MediaKind::Video),
        () if inside(0, &[0xFF, 0xD8, 0xFF]) || inside(0, b"\x89PNG\r\n\x1a\n") => Some(MediaKind::Image),
        () if riff(b"WEBP") || brand(&[b"heic", b"heix", b"mif1", b"avif"]) => Some(MediaKind::Image),
        () if brand(&[b"M4A ", b"M4B "]) || riff(b"WAVE") => Some(MediaKind::Audio),
        () if inside(0, b"ID3") || inside(0, b"OggS") || inside(0, b"fLaC") => Some(MediaKind::Audio),
        // Frames of MPEG (layers II and III) and of AAC. Text in UTF-16 begins with 0xFF 0xFE.
        () if matches!(head, [0xFF, 0xE2 | 0xE3 | 0xF0..=0xF5 | 0xF8..=0xFD, ..]) => Some(MediaKind::Audio),
        () if inside(4, b"ftyp") || riff(b"AVI ") || inside(0, &[0x1A, 0x45, 0xDF, 0xA3]) => {
            Some(MediaKind::Video)
        }
        () => None,
    }
}

/// Reads one file as one unit.
pub(super) fn reader<'a>(input: Input<'a>, kind: MediaKind, entry: &[u8], limits: Limits) -> Whole<'a> {
    let name = name_of_entry(entry);
    Whole::new(input, Format::File, limits, move |bytes| Item { names: vec![name], ..read(kind, bytes) })
}

/// Reads a file again. Its name is not in its bytes.
pub(super) fn reread(bytes: &[u8]) -> Item {
    let kind = begins(bytes).unwrap_or(MediaKind::Other);
    Item { names: vec![PrivateText::from(NAMELESS)], ..read(kind, bytes) }
}

fn read(kind: MediaKind, bytes: &[u8]) -> Item {
    Item {
        media: vec![kind],
        media_size_bytes: vec![bytes.len() as u64],
        file_sha256: digest(&SHA256, bytes).as_ref().try_into().ok(),
        ..Item::new(Platform::Web, ItemKind::Attachment)
    }
}

/// What a file is called whose name is not known.
const NAMELESS: &str = "file";

/// How many of the last parts of a path name a file: archives are packed anew in folders of other names.
const PARTS: usize = 3;

/// The name of a file by its path as a post has it; none where it stands elsewhere (on the web), or nowhere.
pub(super) fn name_of(path: &str) -> Option<PrivateText> {
    let elsewhere = path.contains("://") || path.starts_with("//") || path.ends_with('/');
    (!elsewhere && !path.is_empty()).then(|| last_parts(path))
}

/// The name of a file by that of its entry. One in another encoding than UTF-8 is named by its bytes.
fn name_of_entry(entry: &[u8]) -> PrivateText {
    std::str::from_utf8(entry).map_or_else(|_| PrivateText::new(hex::encode(entry)), last_parts)
}

fn last_parts(path: &str) -> PrivateText {
    let all = path.rsplit(['/', '\\']).filter(|part| !part.is_empty() && *part != ".");
    let mut parts: Vec<&str> = all.take(PARTS).collect();
    parts.reverse();
    PrivateText::new(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_bytes() {
        let known: [(&[u8], MediaKind); 8] = [
            (&[0xFF, 0xD8, 0xFF, 0xE0, 0], MediaKind::Image),
            (b"\x89PNG\r\n\x1a\n\0\0", MediaKind::Image),
            (b"RIFF\x10\0\0\0WEBPVP8 ", MediaKind::Image),
            (b"\0\0\0\x18ftypheic", MediaKind::Image),
            (b"GIF89a\x01\0", MediaKind::Video),
            (b"\0\0\0\x20ftypisom", MediaKind::Video),
            (b"\0\0\0\x20ftypM4A \0", MediaKind::Audio),
            (&[0xFF, 0xFB, 0x90, 0x64], MediaKind::Audio),
        ];
        for (head, kind) in known {
            assert_eq!(begins(head), Some(kind), "{head:x?}");
        }
        for none in
            [&b"[{\"a\":1}]"[..], b"", b"GIF", b"\xFF\xFEa\0", b"%PDF-1.7", b"RIFF", b"window.YTD.tweets"]
        {
            assert_eq!(begins(none), None, "{none:x?}");
        }
    }

    #[test]
    fn an_entry_and_a_post_name_a_file_alike() {
        let name = |path: &str| name_of(path).map(|name| name.expose().to_owned());
        let entry = name("twitter-2026-05-04-ab12/data/tweets_media/12-Fx.jpg");
        assert_eq!(entry, name("data/tweets_media/12-Fx.jpg"));
        assert_eq!(name("/media_attachments/files/1/original/a.png"), name("files/1/original/a.png"));
        assert_eq!(name("./a.png").as_deref(), Some("a.png"));
        for none in ["https://social.example/a.png", "//social.example/a.png", "", "media/"] {
            assert_eq!(name(none), None, "{none}");
        }
        let entry = |name: &[u8]| name_of_entry(name).expose().to_owned();
        assert_eq!(entry(b"data\\tweets_media\\12-Fx.jpg"), "data/tweets_media/12-Fx.jpg");
        assert_eq!(Some(entry(b"https://x/a/b/c.png")), name("a/b/c.png"));
        assert_ne!(entry(b"foto_\x81.jpg"), entry(b"foto_\x82.jpg"));
    }

    #[test]
    fn a_file_is_told_from_another_by_its_bytes() {
        let (one, other) = (reread(b"GIF89a1"), reread(b"GIF89a2"));
        assert_eq!(
            (one.media.as_slice(), one.media_size_bytes.as_slice()),
            (&[MediaKind::Video][..], &[7][..])
        );
        let meaning = |item: &Item| {
            let mut all = Vec::new();
            item.write_meaning(&mut |bytes| all.extend_from_slice(bytes));
            all
        };
        assert_ne!(meaning(&one), meaning(&other));
    }
}
