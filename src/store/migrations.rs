//! The steps that bring a database's schema up to date, as they were compiled in: `migrations/PLANE/BACKEND/NUMBER_NAME.sql`,
//! forward only. Read when a database is opened, so that no macro has to compile a second copy of both backends.

use super::StoreError;
use super::database::{Dialect, Plane};
use include_dir::{Dir, File, include_dir};
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

static STEPS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/store/migrations");

/// The steps of one plane's schema on one backend, in order.
///
/// # Errors
/// When this build lacks them, or one of them is not named as it should be.
pub(super) fn migrator(plane: Plane, dialect: Dialect) -> Result<Migrator, StoreError> {
    let plane = match plane {
        Plane::Vault => "vault",
        Plane::Room => "room",
        Plane::Inbox => "inbox",
    };
    let backend = match dialect {
        Dialect::Sqlite => "sqlite",
        Dialect::Postgres => "postgres",
    };
    let damaged = || StoreError::Corrupt { what: "steps of the schema in this build" };
    let folder = STEPS.get_dir(format!("{plane}/{backend}")).ok_or_else(damaged)?;
    let steps: Option<Vec<Migration>> = folder.files().map(step).collect();
    Ok(Migrator::with_migrations(steps.ok_or_else(damaged)?))
}

fn step(file: &'static File<'static>) -> Option<Migration> {
    let (number, name) = file.path().file_stem()?.to_str()?.split_once('_')?;
    let sql = file.contents_utf8()?.into_sql_str();
    Some(Migration::new(
        number.parse().ok()?,
        name.replace('_', " ").into(),
        MigrationType::Simple,
        sql,
        false,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_has_its_steps_in_order() {
        for plane in [Plane::Vault, Plane::Room, Plane::Inbox] {
            let numbers = |dialect| {
                let migrator = migrator(plane, dialect).unwrap();
                migrator.iter().map(|step| (step.version, step.description.to_string())).collect::<Vec<_>>()
            };
            let sqlite = numbers(Dialect::Sqlite);
            assert_eq!(sqlite.first(), Some(&(1, "start".to_owned())), "{plane:?}");
            assert!(sqlite.is_sorted(), "{plane:?}");
            assert_eq!(sqlite, numbers(Dialect::Postgres), "{plane:?}: both backends go the same steps");
        }
    }
}
