//! Building: records of a grant into parts, a page and a dictionary for people, a manifest; then up to be held.

use super::columns::{Counted, Part, at};
use super::job::{Progress, Workshop};
use crate::model::{ExportId, ExportState, OrganisationId};
use crate::reading_room::read::made;
use crate::reading_room::{ReadingError, ReadingRoom};
use crate::redact::copy::{
    About, CopyRow, DICTIONARY, MANIFEST, Manifest, ManifestFile, Named, README, dictionary, readme,
    sha256_hex,
};
use crate::redact::{CopyForm, Language, Plan, Precision};
use crate::store::StoreError;
use crate::store::airlock::PIECE_BYTES;
use crate::store::inbox::{ExportAct, ExportStep, Message};
use crate::store::room::{ExportOrder, ExportRecord};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

/// Records rendered together.
const AT_ONCE: u32 = 1_000;

/// Pause between two looks for what is to be built.
const PAUSE: Duration = Duration::from_millis(500);

impl ReadingRoom {
    /// Builds what is to be built, until the process ends.
    pub async fn keep_building(self) {
        loop {
            if let Err(error) = self.build_exports().await {
                tracing::error!(%error, "an export was not built");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Builds what is to be built, and sends it up; says of what was fetched that it was, where a process before had no time for it.
    /// Returns how many exports were built. One that fails does not keep the others.
    ///
    /// # Errors
    /// When what is to be built cannot be read: what stands of it stands, and the next call goes on there.
    pub async fn build_exports(&self) -> Result<u64, ReadingError> {
        let Some(workshop) = &self.workshop else { return Ok(0) };
        self.tell_what_was_fetched(workshop).await?;
        let mut orders = self.room.exports_in(ExportState::Building).await?;
        orders.retain(|order| !order.revoked && (self.now)() < order.until);
        let building: BTreeSet<ExportId> = orders.iter().map(|order| order.export.id).collect();
        if let Err(error) = workshop.tidy(&building) {
            tracing::error!(%error, "files of an export that is over were not removed");
        }
        let mut built = 0;
        // What the vault makes anew is waited for: without it rows would tell less than they do.
        for order in orders.iter().filter(|order| !order.wanting) {
            match self.build(workshop, order).await {
                Ok(new) => built += u64::from(new),
                Err(error) => self.not_built(order, error).await?,
            }
        }
        Ok(built)
    }

    /// Where trying again would not help the vault is told that it cannot be built.
    async fn not_built(&self, order: &ExportOrder, error: ReadingError) -> Result<(), ReadingError> {
        let id = order.export.id;
        tracing::error!(export = %id, %error, "an export was not built");
        if matches!(error, ReadingError::Absent | ReadingError::Store(StoreError::Corrupt { .. })) {
            let step =
                ExportStep { export: id, grant: order.export.grant, actor: None, act: ExportAct::Failed };
            self.inbox.append(Message::export(&step, (self.now)())).await?;
        }
        Ok(())
    }

    async fn tell_what_was_fetched(&self, workshop: &Workshop) -> Result<(), ReadingError> {
        for step in workshop.untold()? {
            self.inbox.append(Message::export(&step, (self.now)())).await?;
            workshop.told(step.export)?;
        }
        Ok(())
    }

    async fn build(&self, workshop: &Workshop, order: &ExportOrder) -> Result<bool, ReadingError> {
        let id = order.export.id;
        let plan = self.plans.plan(&order.plan).filter(|plan| plan.is_for(CopyForm::Export));
        let plan = plan.ok_or(ReadingError::Absent)?;
        let mut progress = workshop.progress(id).unwrap_or_else(|| Progress::begun((self.now)()));
        if progress.sent {
            return Ok(false);
        }
        let folder = workshop.open(id)?;
        while !progress.whole {
            self.build_part(workshop, order, plan, &folder, &mut progress).await?;
            workshop.keep(id, &progress)?;
        }
        let manifest = self.words_and_manifest(order, plan, &folder, &progress)?;
        self.send_up(id, &folder, &manifest).await?;
        let act = ExportAct::Built {
            manifest: sha256_hex(&std::fs::read(folder.join(MANIFEST))?),
            rows: progress.rows,
            left_out: progress.left_out,
        };
        let step = ExportStep { export: id, grant: order.export.grant, actor: None, act };
        self.inbox.append(Message::export(&step, (self.now)())).await?;
        progress.sent = true;
        workshop.keep(id, &progress)?;
        Ok(true)
    }

    /// One part, after the last that stands.
    async fn build_part(
        &self,
        workshop: &Workshop,
        order: &ExportOrder,
        plan: &Plan,
        folder: &Path,
        progress: &mut Progress,
    ) -> Result<(), ReadingError> {
        let number = progress.parts + 1;
        let most = u64::from(workshop.part_rows());
        let mut part = Part::begin(folder, number)?;
        while part.rows() < most {
            let room = u32::try_from(most - part.rows()).unwrap_or(AT_ONCE).min(AT_ONCE);
            let after = progress.after.as_ref();
            let found = self.room.stretch(order.export.grant, order.export.id, after, room).await?;
            let Some(last) = found.last() else {
                progress.whole = true;
                break;
            };
            progress.after = Some(last.place.clone());
            let looked_at = found.len() as u64;
            let rows = self.rows(order, plan, found).await?;
            progress.left_out += looked_at - rows.len() as u64;
            for row in rows {
                part.write(row)?;
            }
        }
        progress.rows += part.rows();
        // An export without a row has one part all the same: every form is there.
        if part.rows() > 0 || number == 1 {
            progress.files.extend(part.finish()?);
            progress.parts = number;
        }
        Ok(())
    }

    async fn rows(
        &self,
        order: &ExportOrder,
        plan: &Plan,
        found: Vec<ExportRecord>,
    ) -> Result<Vec<CopyRow>, ReadingError> {
        let (mut records, mut told) = (Vec::with_capacity(found.len()), Vec::with_capacity(found.len()));
        for ExportRecord { mut record, position, parent, less, .. } in found {
            if less.as_ref().is_some_and(|less| less.left_out) {
                continue;
            }
            let time = made(record.values.as_deref()).time;
            if less.as_ref().is_some_and(|less| less.no_values) {
                record.values = None;
            }
            let named = Named {
                id: record.reference,
                conversation: record.conversation_reference,
                position,
                reply_to: parent,
            };
            told.push((named, time, less.map_or(Precision::Hour, |less| less.time)));
            records.push(record);
        }
        let views = self.render_under(order.export.grant, plan, records, Language::Dutch).await?;
        let rows = views.iter().zip(told);
        Ok(rows
            .map(|(view, (named, time, most))| CopyRow::of(named, &view.view, plan, time.as_deref(), most))
            .collect())
    }

    /// What goes with the parts; done twice it is the same.
    fn words_and_manifest(
        &self,
        order: &ExportOrder,
        plan: &Plan,
        folder: &Path,
        progress: &Progress,
    ) -> Result<Manifest, ReadingError> {
        let document: Value = serde_json::from_str(&order.export.document).unwrap_or_default();
        let organisation = document.get("organisation").and_then(Value::as_str);
        let organisation: Option<OrganisationId> = organisation.and_then(|word| word.parse().ok());
        let organisation = organisation.ok_or(StoreError::Corrupt { what: "export" })?;
        let about = About {
            organisation: organisation.as_str(),
            plan,
            built_at: &progress.built_at.to_string(),
            rows: progress.rows,
            left_out: progress.left_out,
            groups: self.plans.small_groups(),
        };
        let mut files = progress.files.clone();
        files.push(write(folder, README, readme(&about).as_bytes())?);
        files.push(write(folder, DICTIONARY, dictionary().as_bytes())?);
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let manifest = Manifest {
            version: 1,
            export: order.export.id,
            grant: order.export.grant,
            organisation,
            plan: plan.id().to_owned(),
            built_at: progress.built_at,
            rows: progress.rows,
            files,
        };
        let text = serde_json::to_vec_pretty(&manifest).map_err(std::io::Error::from)?;
        write(folder, MANIFEST, &text)?;
        Ok(manifest)
    }

    async fn send_up(&self, id: ExportId, folder: &Path, manifest: &Manifest) -> Result<(), ReadingError> {
        let names = manifest.files.iter().map(|file| file.name.as_str()).chain([MANIFEST]);
        for name in names {
            let mut file = std::fs::File::open(folder.join(name))?;
            let mut place = 0;
            loop {
                let mut piece = Vec::with_capacity(PIECE_BYTES);
                Read::by_ref(&mut file).take(PIECE_BYTES as u64).read_to_end(&mut piece)?;
                if piece.is_empty() && place > 0 {
                    break;
                }
                self.inbox.airlock().add(id, name, place, piece).await?;
                place += 1;
            }
        }
        Ok(())
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<ManifestFile, ReadingError> {
    let mut file = Counted::new(&at(folder, name))?;
    file.write_all(bytes)?;
    Ok(file.finish(folder, name, None)?)
}
