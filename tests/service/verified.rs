//! `knik verify` and `knik scrub` on a folder in which somebody changed the key table or a decision: each is found and named.

use super::fixture::knik;
use super::refusals::{Folder, questions};
use knik::store::database::{Database, Mode, Plane};
use std::fs;

/// A change of the catalogue, what is said of it, and whether a scrub finds it too.
struct Tampered {
    change: &'static str,
    said: &'static str,
    scrub: bool,
}

const TAMPERED: &[Tampered] = &[
    Tampered {
        change: "UPDATE segment SET wrapped_key = zeroblob(length(wrapped_key))",
        said: "wrapped key",
        scrub: true,
    },
    Tampered {
        change: "UPDATE fragment SET wrapped_key = CAST(substr(wrapped_key, 1, length(wrapped_key) - 4) || \
                 X'00000000' AS BLOB) WHERE id = (SELECT MAX(id) FROM fragment)",
        said: "does not open under the key above it",
        scrub: true,
    },
    Tampered { change: "DELETE FROM fragment WHERE kind = 'own'", said: "lacks a key", scrub: false },
    Tampered {
        change: "UPDATE version_row SET salt = zeroblob(16)",
        said: "is not the one that the ledger committed to",
        scrub: false,
    },
    Tampered {
        change: "UPDATE ruling SET outcome = 'do_not_archive'",
        said: "is not the one that the ledger committed to",
        scrub: false,
    },
    Tampered {
        change: "UPDATE decision_set SET commitments = substr(commitments, 1, 32)",
        said: "committed to of decisions was changed",
        scrub: false,
    },
];

#[tokio::test]
async fn keys_that_do_not_open_and_decisions_that_were_changed_are_found() {
    let folder = Folder::with("");
    let file = folder.file("questions.json", &questions(3));
    folder.run(&["ingest", "--channel", "low-mastodon", &file]).ok();
    let sound = folder.run(&["verify", "--json"]).ok().json();
    assert_eq!((&sound["originals"], &sound["decisions"]), (&3.into(), &3.into()), "{sound}");
    for Tampered { change, said, scrub } in TAMPERED {
        let dir = folder.temp.path().join("tampered");
        copy(&folder.dir, &dir);
        let url = Database::sqlite_url(&dir.join("vault/catalogue.db"));
        let db = Database::open(&url, Plane::Vault, Mode::Owner).await.unwrap();
        let done = sqlx::query(*change).execute(db.write()).await.unwrap();
        assert!(done.rows_affected() > 0, "{change}");
        db.close().await;
        let found = knik(&dir, &["verify", "--json"]);
        let wrong = found.json()["firstWrong"].as_str().unwrap_or_default().to_owned();
        assert!(found.code == 1 && wrong.contains(said), "{change}: {}", found.said());
        let scrubbed = knik(&dir, &["scrub", "--json"]);
        assert_eq!(
            scrubbed.json()["wrong"].as_array().map(Vec::is_empty),
            Some(!scrub),
            "{change}: {}",
            scrubbed.said()
        );
        fs::remove_dir_all(&dir).unwrap();
    }
}

/// A data folder as it is, with its rights; its socket is not of it.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    let done = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}
