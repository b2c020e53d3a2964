//! What stood where placeholders stand: for the vault alone, to make wider values and to look for what must not be there.

use super::cover::Covers;
use super::plan::{Mode, Plan};
use super::sweep::Sweep;
use super::{Projection, RedactError, RedactionPolicy, Source, SourcePassage, generalise};
use crate::model::{EntityType, Span};

/// Something that is redacted in a record. It is what must not be told: not `Debug`, `Clone` or `Serialize`.
pub struct Covered<'t> {
    /// What kind of personal data.
    pub entity: EntityType,
    /// The words of the record.
    pub value: &'t str,
}

/// What stands behind the placeholders of a record's projection, in their order through all passages. The same source,
/// findings and policy give the placeholders of [`project`](super::project).
///
/// # Errors
/// As `project`.
pub fn covered<'s>(source: &Source<'s>, policy: &RedactionPolicy) -> Result<Vec<Covered<'s>>, RedactError> {
    let covers = source.passages.iter().map(|passage| Covers::of(passage.text, passage.findings, policy));
    let covers: Vec<Covers<'s>> = covers.collect::<Result<_, _>>()?;
    let sweep = Sweep::new(covers.iter().flat_map(Covers::values))?;
    let behind = covers.iter().flat_map(|covers| covers.behind(&sweep));
    Ok(behind.map(|(entity, value)| Covered { entity, value }).collect())
}

/// For each passage the places, in UTF-8 bytes, that [`project`](super::project) would not show, in order and apart.
///
/// # Errors
/// As `project`: nothing of the record is then shown.
pub fn hidden(
    passages: &[SourcePassage<'_>],
    policy: &RedactionPolicy,
) -> Result<Vec<Vec<Span>>, RedactError> {
    let covers = passages.iter().map(|passage| Covers::of(passage.text, passage.findings, policy));
    let covers: Vec<Covers<'_>> = covers.collect::<Result<_, _>>()?;
    let sweep = Sweep::new(covers.iter().flat_map(Covers::values))?;
    Ok(covers.iter().map(|covers| covers.places(&sweep)).collect())
}

/// The wider values of a projection's placeholders under a plan, each at the place of its placeholder; `None` where the
/// plan shows none or the value is not understood. `None` as a whole when the placeholders are not those of the projection:
/// then it was made of another version or other findings, and nothing is told.
#[must_use]
pub fn wider_values(
    projection: &Projection,
    covered: &[Covered<'_>],
    plan: &Plan,
) -> Option<Vec<Option<String>>> {
    let placeholders = || projection.passages.iter().flat_map(|passage| passage.text.placeholders());
    let same = placeholders().count() == covered.len()
        && placeholders().zip(covered).all(|(placeholder, covered)| placeholder.entity == covered.entity);
    let wider = |covered: &Covered<'_>| match plan.mode(&covered.entity) {
        Mode::Wider => generalise(&covered.entity, covered.value),
        _ => None,
    };
    same.then(|| covered.iter().map(wider).collect())
}

#[cfg(test)]
mod tests {
    use super::super::cover::tests::finding;
    use super::super::{Plans, ProjectionPolicy, SourcePassage, project};
    use super::*;
    use crate::model::Finding;
    use std::collections::BTreeMap;

    fn plans() -> Plans {
        Plans::load("plans", include_str!("../../policies/redaction-plans.yaml")).unwrap()
    }

    #[test]
    fn wider_values_stand_at_the_places_of_their_placeholders() {
        let text = "Fatima, geboren 12-03-1985, woont op 1234 AB. Fatima belt.";
        let findings: Vec<Finding> =
            [("Fatima", "PERSON"), ("12-03-1985", "DATE_OF_BIRTH"), ("1234 AB", "NL_POSTCODE")]
                .map(|(value, entity)| finding(text, value, entity))
                .into();
        let policy = ProjectionPolicy::load("p", include_str!("../../policies/projection.yaml")).unwrap();
        let source = Source {
            passages: vec![SourcePassage { role: "body", text, findings: &findings }],
            metadata: BTreeMap::new(),
        };
        let projection = project(&source, &policy, "r1").unwrap();
        let covered = covered(&source, policy.redaction()).unwrap();
        let told: Vec<&str> = covered.iter().map(|one| one.value).collect();
        assert_eq!(told, ["Fatima", "12-03-1985", "1234 AB", "Fatima"], "what the sweep covers too");
        let wider = |plan: &str| wider_values(&projection, &covered, plans().plan(plan).unwrap()).unwrap();
        let some = |value: &str| Some(value.to_owned());
        assert_eq!(wider("generalised"), [None, some("1985"), some("1234"), None]);
        assert_eq!(wider("researcher"), [None, None, None, None]);
        let fewer = covered.into_iter().take(3).collect::<Vec<_>>();
        assert!(wider_values(&projection, &fewer, plans().plan("generalised").unwrap()).is_none());
    }

    #[test]
    fn a_plan_says_in_which_form_it_may_be_asked_for() {
        use super::super::{CopyForm, Precision};
        let plans = plans();
        for (plan, view, export) in [
            ("researcher", true, true),
            ("generalised", true, true),
            ("no-text", false, true),
            ("reviewer", false, false),
            ("original", false, false),
        ] {
            assert_eq!(
                (plans.offers(plan, CopyForm::View), plans.offers(plan, CopyForm::Export)),
                (view, export)
            );
        }
        for (precision, told) in [
            (Precision::Hour, "2026-05-04T10"),
            (Precision::Day, "2026-05-04"),
            (Precision::Month, "2026-05"),
            (Precision::Year, "2026"),
            (Precision::None, ""),
        ] {
            assert_eq!(precision.of("2026-05-04T10"), told);
        }
        assert_eq!(Precision::Hour.of("2026"), "2026");
    }
}
