//! One page: tweets as JSON, with the accounts and the post they belong to.

use super::{Conversation, Draw, ORGANISATION_HANDLE, Person, Summary};
use std::io::{self, Write};

/// Tweets on one page, as the API's largest.
const PAGE_TWEETS_MAX: usize = 100;
const ORGANISATION_ID: &str = "2242922325";

/// A reaction on its way to a page.
pub(super) struct Tweet<'a> {
    pub(super) id: u64,
    pub(super) at_ms: u64,
    pub(super) conversation: u64,
    pub(super) parent: u64,
    pub(super) author: &'a Person,
    pub(super) addressee: Option<Person>,
    pub(super) text: &'a str,
}

/// One line being made.
#[derive(Default)]
pub(super) struct Page {
    tweets: usize,
    data: Vec<u8>,
    users: Vec<u8>,
    seen: Vec<u64>,
    posts: Vec<u8>,
    posts_here: Vec<u64>,
    newest: u64,
    oldest: u64,
    line: Vec<u8>,
}

impl Page {
    pub(super) fn add_post(&mut self, conversation: &Conversation) {
        separate(&mut self.data);
        write_post(&mut self.data, conversation);
        self.posts_here.push(conversation.id);
        self.count(conversation.id);
    }

    /// Puts the post under which a reaction stands among the included, once a page.
    pub(super) fn carry_post(&mut self, conversation: &Conversation) {
        if !self.posts_here.contains(&conversation.id) {
            self.posts_here.push(conversation.id);
            separate(&mut self.posts);
            write_post(&mut self.posts, conversation);
        }
    }

    pub(super) fn add(&mut self, tweet: &Tweet<'_>, draw: &mut Draw) {
        separate(&mut self.data);
        write_tweet(&mut self.data, tweet, draw);
        self.count(tweet.id);
        self.introduce(tweet.author);
        if let Some(person) = &tweet.addressee {
            self.introduce(person);
        }
    }

    fn count(&mut self, id: u64) {
        if self.tweets == 0 {
            self.oldest = id;
        }
        self.newest = id;
        self.tweets += 1;
    }

    fn introduce(&mut self, person: &Person) {
        if !self.seen.contains(&person.number) {
            self.seen.push(person.number);
            write_user(&mut self.users, person);
        }
    }

    pub(super) fn write_full(&mut self, out: &mut impl Write, summary: &mut Summary) -> io::Result<()> {
        if self.tweets < PAGE_TWEETS_MAX { Ok(()) } else { self.write(out, summary) }
    }

    pub(super) fn write(&mut self, out: &mut impl Write, summary: &mut Summary) -> io::Result<()> {
        if self.tweets == 0 {
            return Ok(());
        }
        let line = &mut self.line;
        line.extend_from_slice(b"{\"data\": [");
        line.append(&mut self.data);
        line.extend_from_slice(b"], \"includes\": {\"users\": [");
        line.extend_from_slice(ORGANISATION.as_bytes());
        line.append(&mut self.users);
        line.push(b']');
        if !self.posts.is_empty() {
            line.extend_from_slice(b", \"tweets\": [");
            line.append(&mut self.posts);
            line.push(b']');
        }
        line.extend_from_slice(b"}, \"meta\": {\"newest_id\": \"");
        number(line, self.newest);
        line.extend_from_slice(b"\", \"oldest_id\": \"");
        number(line, self.oldest);
        line.extend_from_slice(b"\", \"result_count\": ");
        number(line, self.tweets as u64);
        line.extend_from_slice(PAGE_END.as_bytes());
        out.write_all(line)?;
        summary.pages += 1;
        summary.bytes += line.len() as u64;
        line.clear();
        self.tweets = 0;
        self.seen.clear();
        self.posts_here.clear();
        Ok(())
    }
}

fn separate(list: &mut Vec<u8>) {
    if !list.is_empty() {
        list.extend_from_slice(b", ");
    }
}

fn write_post(out: &mut Vec<u8>, conversation: &Conversation) {
    out.extend_from_slice(b"{\"created_at\": \"");
    time(out, conversation.posted_ms());
    out.extend_from_slice(b"\", \"author_id\": \"");
    out.extend_from_slice(ORGANISATION_ID.as_bytes());
    out.extend_from_slice(b"\", \"id\": \"");
    number(out, conversation.id);
    out.extend_from_slice(b"\", \"conversation_id\": \"");
    number(out, conversation.id);
    out.extend_from_slice(b"\", \"text\": \"");
    escaped(out, conversation.text);
    out.extend_from_slice(b"\", \"lang\": \"nl\", \"source\": \"Webcare\", \"reply_settings\": \"everyone\", \"possibly_sensitive\": false, \"public_metrics\": {\"retweet_count\": 4, \"reply_count\": 100, \"like_count\": 31, \"quote_count\": 1}, \"edit_history_tweet_ids\": [\"");
    number(out, conversation.id);
    out.extend_from_slice(b"\"]}");
}

fn write_tweet(out: &mut Vec<u8>, tweet: &Tweet<'_>, draw: &mut Draw) {
    out.extend_from_slice(b"{\"created_at\": \"");
    time(out, tweet.at_ms);
    out.extend_from_slice(b"\", \"author_id\": \"");
    number(out, tweet.author.id());
    out.extend_from_slice(b"\", \"id\": \"");
    number(out, tweet.id);
    out.extend_from_slice(b"\", \"conversation_id\": \"");
    number(out, tweet.conversation);
    out.extend_from_slice(b"\", \"text\": \"");
    escaped(out, tweet.text);
    out.extend_from_slice(b"\", \"lang\": \"nl\", \"source\": \"Twitter Web App\", \"reply_settings\": \"everyone\", \"possibly_sensitive\": false, \"public_metrics\": {\"retweet_count\": 0, \"reply_count\": ");
    number(out, draw.below(4));
    out.extend_from_slice(b", \"like_count\": ");
    number(out, draw.below(25));
    out.extend_from_slice(b", \"quote_count\": 0}, \"edit_history_tweet_ids\": [\"");
    number(out, tweet.id);
    out.extend_from_slice(b"\"], \"entities\": {\"mentions\": [");
    write_mentions(out, tweet.addressee.as_ref());
    out.extend_from_slice(b"]}, \"referenced_tweets\": [{\"type\": \"replied_to\", \"id\": \"");
    number(out, tweet.parent);
    out.extend_from_slice(b"\"}], \"in_reply_to_user_id\": \"");
    match &tweet.addressee {
        Some(person) => number(out, person.id()),
        None => out.extend_from_slice(ORGANISATION_ID.as_bytes()),
    }
    out.extend_from_slice(b"\"}");
}

/// The leading mentions; offsets in code points, as the API counts. The handles are ASCII, so bytes are the same.
fn write_mentions(out: &mut Vec<u8>, addressee: Option<&Person>) {
    let mut start = 0;
    if let Some(person) = addressee {
        let end = person.handle.len() as u64 + 1;
        out.extend_from_slice(b"{\"start\": 0, \"end\": ");
        number(out, end);
        out.extend_from_slice(b", \"username\": \"");
        out.extend_from_slice(person.handle.as_bytes());
        out.extend_from_slice(b"\", \"id\": \"");
        number(out, person.id());
        out.extend_from_slice(b"\"}, ");
        start = end + 1;
    }
    out.extend_from_slice(b"{\"start\": ");
    number(out, start);
    out.extend_from_slice(b", \"end\": ");
    number(out, start + ORGANISATION_HANDLE.len() as u64 + 1);
    out.extend_from_slice(b", \"username\": \"");
    out.extend_from_slice(ORGANISATION_HANDLE.as_bytes());
    out.extend_from_slice(b"\", \"id\": \"");
    out.extend_from_slice(ORGANISATION_ID.as_bytes());
    out.extend_from_slice(b"\"}");
}

fn write_user(out: &mut Vec<u8>, person: &Person) {
    out.extend_from_slice(b", {\"username\": \"");
    out.extend_from_slice(person.handle.as_bytes());
    out.extend_from_slice(b"\", \"id\": \"");
    number(out, person.id());
    out.extend_from_slice(b"\", \"name\": \"");
    escaped(out, &person.name);
    out.extend_from_slice(b"\", \"created_at\": \"2016-03-01T12:00:00.000Z\", \"description\": \"\", \"protected\": false, \"verified\": false, \"profile_image_url\": \"https://pbs.twimg.com/profile_images/");
    number(out, person.id());
    out.extend_from_slice(b"/x_normal.jpg\", \"public_metrics\": {\"followers_count\": ");
    number(out, person.number % 900);
    out.extend_from_slice(b", \"following_count\": ");
    number(out, person.number % 700);
    out.extend_from_slice(b", \"tweet_count\": ");
    number(out, person.number % 9000);
    out.extend_from_slice(b", \"listed_count\": 0}, \"url\": \"\"}");
}

/// A JSON string's inside in ASCII alone, as the harvesters write it.
fn escaped(out: &mut Vec<u8>, text: &str) {
    let mut units = [0_u16; 2];
    for letter in text.chars() {
        match letter {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            ' '..='~' => out.push(letter as u8),
            _ => {
                for unit in letter.encode_utf16(&mut units) {
                    out.extend_from_slice(b"\\u");
                    for shift in [12_u16, 8, 4, 0] {
                        let nibble = ((*unit >> shift) & 0xf) as u8;
                        out.push(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
                    }
                }
            }
        }
    }
}

fn number(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0_u8; 20];
    let mut left = value;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (left % 10) as u8;
        left /= 10;
        used += 1;
        if left == 0 {
            break;
        }
    }
    out.extend(digits.iter().skip(20 - used));
}

/// `2026-01-05T08:00:00.000Z`; days to date by Howard Hinnant's `civil_from_days`.
fn time(out: &mut Vec<u8>, at_ms: u64) {
    let seconds = at_ms / 1_000;
    let days = seconds / 86_400 + 719_468;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    number(out, year_of_era + days / 146_097 * 400 + u64::from(month <= 2));
    for (mark, value) in [
        (b'-', month),
        (b'-', day_of_year - (153 * month_from_march + 2) / 5 + 1),
        (b'T', seconds / 3_600 % 24),
        (b':', seconds / 60 % 60),
        (b':', seconds % 60),
    ] {
        out.extend_from_slice(&[mark, b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]);
    }
    out.extend_from_slice(b".000Z");
}

const ORGANISATION: &str = r#"{"username": "DienstWegenVerg", "id": "2242922325", "name": "Dienst Wegen en Vergunningen", "created_at": "2011-02-14T09:00:00.000Z", "description": "", "protected": false, "verified": true, "profile_image_url": "https://pbs.twimg.com/profile_images/1/x_normal.jpg", "public_metrics": {"followers_count": 31870, "following_count": 112, "tweet_count": 20417, "listed_count": 140}, "url": ""}"#;
const PAGE_END: &str = concat!(
    r#"}, "__twarc": {"url": "https://api.twitter.com/2/tweets/search/all?max_results=100", "#,
    r#""version": "2.14.0", "retrieved_at": "2026-11-01T08:00:00+00:00"}}"#,
    "\n"
);
