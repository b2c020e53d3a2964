//! Operators: what comes in the place of a finding when a text is rewritten.
//!
//! They serve texts that leave by the command line or an API. The reading room does not use them: its projections
//! hold placeholders only, and neither a length nor a digest of what they stand for (see [`redact`](super::redact)).

use super::generalise::generalise;
use super::operator_plan::OperatorPlan;
use super::rewrite::{RewriteError, Rewritten, rewrite};
use super::secrets::{OperatorNonce, SecretError, Secrets};
use crate::model::{EntityType, Finding};
use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;

/// What is done with one kind of personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operator {
    /// A fixed text; `<TYPE>` when there is none.
    Replace {
        /// The text.
        with: Option<String>,
    },
    /// Characters hidden one by one. Shows the length, and what is not masked.
    Mask {
        /// What stands for each hidden character.
        mask: char,
        /// How many code points are hidden; all when `None` or more than there are.
        count: Option<usize>,
        /// From the end instead of the start.
        from_end: bool,
    },
    /// Removed: nothing stands in its place.
    Redact,
    /// A keyed digest (HMAC-SHA-256), so that equal values stay recognisable to who has none of the key.
    Hash {
        /// How many hexadecimal digits, 8 to 64.
        length: usize,
    },
    /// Sealed with AES-256-GCM; comes back with the key ([`Secrets::undo`]).
    Encrypt,
    /// The same stand-in for the same value, without regard to case, diacritics and the spelling of numbers.
    Pseudonymise {
        /// The stand-in, with `{n}` for what tells values apart; `<TYPE_{n}>` when there is none.
        with: Option<String>,
        /// Where `{n}` comes from.
        from: PseudonymSource,
    },
    /// A wider value: a year, a network ([`generalise`]). `<TYPE>` when there is none.
    Generalise,
    /// Left as it is.
    Keep,
}

/// What tells one pseudonym from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PseudonymSource {
    /// A number by order of appearance, for each type: 1, 2, 3. Stable within one run.
    #[default]
    Order,
    /// Letters and digits drawn from the key: stable over runs with one key.
    Key,
}

/// An operator without its settings, as plans and answers name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperatorName {
    /// See [`Operator::Replace`].
    Replace,
    /// See [`Operator::Mask`].
    Mask,
    /// See [`Operator::Redact`].
    Redact,
    /// See [`Operator::Hash`].
    Hash,
    /// See [`Operator::Encrypt`].
    Encrypt,
    /// See [`Operator::Pseudonymise`].
    Pseudonymise,
    /// See [`Operator::Generalise`].
    Generalise,
    /// See [`Operator::Keep`].
    Keep,
}

impl OperatorName {
    /// The word in plans and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Mask => "mask",
            Self::Redact => "redact",
            Self::Hash => "hash",
            Self::Encrypt => "encrypt",
            Self::Pseudonymise => "pseudonymise",
            Self::Generalise => "generalise",
            Self::Keep => "keep",
        }
    }
}

impl fmt::Display for OperatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Operator {
    /// Which one it is.
    #[must_use]
    pub const fn name(&self) -> OperatorName {
        match self {
            Self::Replace { .. } => OperatorName::Replace,
            Self::Mask { .. } => OperatorName::Mask,
            Self::Redact => OperatorName::Redact,
            Self::Hash { .. } => OperatorName::Hash,
            Self::Encrypt => OperatorName::Encrypt,
            Self::Pseudonymise { .. } => OperatorName::Pseudonymise,
            Self::Generalise => OperatorName::Generalise,
            Self::Keep => OperatorName::Keep,
        }
    }

    /// Whether it does nothing without a key.
    #[must_use]
    pub const fn needs_key(&self) -> bool {
        matches!(
            self,
            Self::Hash { .. } | Self::Encrypt | Self::Pseudonymise { from: PseudonymSource::Key, .. }
        )
    }
}

/// Why a text was not rewritten. Holds nothing of the text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// The plan asks for an operator that needs a key, and there is none.
    #[error("operator `{operator}` of `{target}` needs a key; name a file that holds one")]
    KeyNeeded {
        /// Which operator.
        operator: OperatorName,
        /// The entity type, or `default`.
        target: String,
    },
    /// The caller's source of randomness failed.
    #[error("no random bytes to encrypt with")]
    NoNonce,
    /// The cipher refused.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// What was done with a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The kind of personal data.
    pub entity: EntityType,
    /// What was done: `replace` where a value could not be generalised.
    pub operator: OperatorName,
}

/// One run of a plan over any number of texts: equal values get equal pseudonyms in all of them.
pub struct Operators {
    plan: OperatorPlan,
    secrets: Option<Secrets>,
    /// Per type a number for each distinct value, by digest: values are not kept.
    numbers: HashMap<EntityType, HashMap<[u8; 32], usize>>,
}

impl Operators {
    /// Starts a run.
    ///
    /// # Errors
    /// [`OperatorError::KeyNeeded`] when the plan has an operator that needs a key and `secrets` is `None`.
    pub fn new(plan: OperatorPlan, secrets: Option<Secrets>) -> Result<Self, OperatorError> {
        let unmet = plan.iter().find(|(_, operator)| operator.needs_key() && secrets.is_none());
        if let Some((entity, operator)) = unmet {
            let target = entity.map_or("default", EntityType::as_str).to_owned();
            return Err(OperatorError::KeyNeeded { operator: operator.name(), target });
        }
        Ok(Self { plan, secrets, numbers: HashMap::new() })
    }

    /// Rewrites one text. `draw` yields a fresh random nonce for each value that is encrypted, and `None` when the
    /// source of randomness failed.
    ///
    /// Every finding yields an item, those that are kept too.
    ///
    /// # Errors
    /// When a finding does not fit the text, or an operator fails: no text is handed out.
    pub fn rewrite(
        &mut self,
        text: &str,
        findings: &[Finding],
        draw: &mut dyn FnMut() -> Option<OperatorNonce>,
    ) -> Result<Rewritten<Applied>, RewriteError<OperatorError>> {
        let mut done = Vec::with_capacity(findings.len());
        let spans = findings.iter().map(|finding| (finding.span, &finding.entity));
        let rewritten = rewrite(text, spans, |entity, value| {
            let (replacement, operator) = self.apply(entity, value, draw)?;
            done.push(operator);
            Ok(replacement)
        })?;
        let items = rewritten.items.into_iter().zip(done);
        let items =
            items.map(|(placed, operator)| placed.map(|entity| Applied { entity: entity.clone(), operator }));
        Ok(Rewritten { text: rewritten.text, items: items.collect() })
    }

    /// What stands in the place of one value, and which operator made it.
    fn apply(
        &mut self,
        entity: &EntityType,
        value: &str,
        draw: &mut dyn FnMut() -> Option<OperatorNonce>,
    ) -> Result<(String, OperatorName), OperatorError> {
        let operator = self.plan.operator(entity);
        let name = operator.name();
        let needed = || OperatorError::KeyNeeded { operator: name, target: entity.to_string() };
        let secrets = self.secrets.as_ref().ok_or_else(needed);
        let made = match operator {
            Operator::Replace { with } => with.clone().unwrap_or_else(|| label(entity)),
            Operator::Mask { mask, count, from_end } => masked(value, *mask, *count, *from_end),
            Operator::Redact => String::new(),
            Operator::Hash { length } => secrets?.hash(entity, value).chars().take(*length).collect(),
            Operator::Encrypt => secrets?.seal(entity, value, draw().ok_or(OperatorError::NoNonce)?)?,
            Operator::Pseudonymise { with, from } => {
                let alike = alike(value);
                let n = match from {
                    PseudonymSource::Order => number(&mut self.numbers, entity, &alike).to_string(),
                    PseudonymSource::Key => secrets?.code(entity, &alike),
                };
                with.as_ref().map_or_else(|| format!("<{entity}_{n}>"), |with| with.replace(PLACE, &n))
            }
            Operator::Generalise => match generalise(entity, value) {
                Some(wider) => wider,
                None => return Ok((label(entity), OperatorName::Replace)),
            },
            Operator::Keep => value.to_owned(),
        };
        Ok((made, name))
    }
}

/// Where a pseudonym's number or code stands in a plan's text.
pub(super) const PLACE: &str = "{n}";

fn label(entity: &EntityType) -> String {
    format!("<{entity}>")
}

/// `count` code points of a value hidden, or all.
fn masked(value: &str, mask: char, count: Option<usize>, from_end: bool) -> String {
    let long = value.chars().count();
    let count = count.unwrap_or(long).min(long);
    let hidden = if from_end { long - count..long } else { 0..count };
    value.chars().enumerate().map(|(at, c)| if hidden.contains(&at) { mask } else { c }).collect()
}

/// The form in which two values are one: folded, spaces as one; of a value with digits its letters and digits.
fn alike(value: &str) -> String {
    let folded = super::fold::fold(value).text;
    if folded.contains(|c: char| c.is_ascii_digit()) {
        return folded.chars().filter(|c| c.is_alphanumeric()).collect();
    }
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The number of a value among those of its type, from 1, by order of appearance.
fn number(
    numbers: &mut HashMap<EntityType, HashMap<[u8; 32], usize>>,
    entity: &EntityType,
    value: &str,
) -> usize {
    let mut key = [0; 32];
    key.iter_mut().zip(digest(&SHA256, value.as_bytes()).as_ref()).for_each(|(to, from)| *to = *from);
    let of_type = numbers.entry(entity.clone()).or_default();
    let next = of_type.len() + 1;
    *of_type.entry(key).or_insert(next)
}

#[cfg(test)]
mod tests {
    use super::super::cover::tests::at;
    use super::*;
    use proptest::prelude::*;

    /// Findings for the values of a text, each at its first place after the one before.
    fn findings(text: &str, values: &[(&str, &str)]) -> Vec<Finding> {
        let mut from = 0;
        let place = |(value, entity): &(&str, &str)| {
            let start = from + text[from..].find(value).unwrap();
            from = start + value.len();
            at(start, from, entity)
        };
        values.iter().map(place).collect()
    }

    fn operators(plan: &str) -> Operators {
        let plan = OperatorPlan::load("plan.yaml", plan).unwrap();
        Operators::new(plan, Some(Secrets::derive(&[1; 32]).unwrap())).unwrap()
    }

    fn nonce() -> impl FnMut() -> Option<OperatorNonce> {
        let mut next = 0_u8;
        move || {
            next = next.wrapping_add(1);
            Some([next; 12])
        }
    }

    const TEXT: &str = "Zoë Vos (1985-03-12) en ZOE  VOS, 06-1234 5678 of 0612345678, Ann";
    const VALUES: &[(&str, &str)] = &[
        ("Zoë Vos", "PERSON"),
        ("1985-03-12", "DATE_OF_BIRTH"),
        ("ZOE  VOS", "PERSON"),
        ("06-1234 5678", "PHONE_NUMBER"),
        ("0612345678", "PHONE_NUMBER"),
        ("Ann", "PERSON"),
    ];

    #[test]
    fn every_operator_does_what_it_says() {
        let secrets = Secrets::derive(&[1; 32]).unwrap();
        let hash = secrets.hash(&"PERSON".parse().unwrap(), "Zoë Vos");
        let code = secrets.code(&"PERSON".parse().unwrap(), "zoe vos");
        let table = [
            ("{operator: replace}", "<PERSON> (<DATE_OF_BIRTH>) en <PERSON>, <PHONE_NUMBER>".to_owned()),
            ("{operator: replace, with: X}", "X (X) en X, X of X, X".to_owned()),
            ("{operator: mask}", "******* (**********) en ********, ************ of **********, ***".to_owned()),
            ("{operator: mask, char: 👍, count: 3}", "👍👍👍 Vos (👍👍👍5-03-12)".to_owned()),
            ("{operator: mask, count: 4, from_end: true}", "Zoë**** (1985-0****) en ZOE ****".to_owned()),
            ("{operator: redact}", " () en ,  of , ".to_owned()),
            ("{operator: hash}", format!("{hash} (")),
            ("{operator: hash, length: 12}", format!("{} (", &hash[..12])),
            (
                "{operator: pseudonymise}",
                "<PERSON_1> (<DATE_OF_BIRTH_1>) en <PERSON_1>, <PHONE_NUMBER_1> of <PHONE_NUMBER_1>, <PERSON_2>"
                    .to_owned(),
            ),
            ("{operator: pseudonymise, with: 'nr {n}'}", "nr 1 (nr 1) en nr 1, nr 1 of nr 1, nr 2".to_owned()),
            ("{operator: pseudonymise, from: key, with: 'P-{n}'}", format!("P-{code} (")),
            ("{operator: generalise}", "<PERSON> (1985) en <PERSON>, <PHONE_NUMBER>".to_owned()),
            ("{operator: keep}", TEXT.to_owned()),
        ];
        for (operator, expected) in table {
            let mut run = operators(&format!("default: {operator}"));
            let rewritten = run.rewrite(TEXT, &findings(TEXT, VALUES), &mut nonce()).ok().unwrap();
            assert!(rewritten.text.starts_with(&expected), "{operator}: {}", rewritten.text);
            assert_eq!(rewritten.items.len(), VALUES.len());
        }
    }

    #[test]
    fn each_type_has_its_own_operator_and_items_say_which() {
        let plan = "default: {operator: redact}\ntypes:\n  PERSON: {operator: generalise}\n  DATE_OF_BIRTH: {operator: generalise}";
        let rewritten = operators(plan).rewrite(TEXT, &findings(TEXT, VALUES), &mut nonce()).ok().unwrap();
        assert_eq!(rewritten.text, "<PERSON> (1985) en <PERSON>,  of , <PERSON>");
        let shown: Vec<(&str, String)> = rewritten
            .items
            .iter()
            .map(|placed| (&rewritten.text[placed.range.clone()], format!("{}", placed.item.operator)))
            .collect();
        let expected = [
            ("<PERSON>", "replace"),
            ("1985", "generalise"),
            ("<PERSON>", "replace"),
            ("", "redact"),
            ("", "redact"),
            ("<PERSON>", "replace"),
        ];
        assert_eq!(shown, expected.map(|(text, operator)| (text, operator.to_owned())));
    }

    #[test]
    fn pseudonyms_are_stable_over_the_texts_of_a_run() {
        let mut run = operators("default: {operator: pseudonymise}");
        let mut shown =
            |text: &str, values| run.rewrite(text, &findings(text, values), &mut nonce()).ok().unwrap().text;
        assert_eq!(shown("Ann", &[("Ann", "PERSON")]), "<PERSON_1>");
        assert_eq!(shown("Bob en ann", &[("Bob", "PERSON"), ("ann", "PERSON")]), "<PERSON_2> en <PERSON_1>");
        assert_eq!(shown("ann", &[("ann", "USERNAME")]), "<USERNAME_1>");
    }

    #[test]
    fn what_needs_a_key_is_refused_without_one() {
        for operator in ["hash", "encrypt", "pseudonymise, from: key"] {
            let of = |plan: String| OperatorPlan::load("p.yaml", &plan).unwrap();
            let default = of(format!("default: {{operator: {operator}}}"));
            let refused = Operators::new(default, None).err().unwrap();
            assert!(refused.to_string().contains("`default` needs a key"), "{refused}");
            let typed =
                of(format!("default: {{operator: keep}}\ntypes: {{NL_BSN: {{operator: {operator}}}}}"));
            let refused = Operators::new(typed, None).err().unwrap();
            assert!(refused.to_string().contains("`NL_BSN` needs a key"), "{refused}");
        }
        let plan = OperatorPlan::load("p.yaml", "default: {operator: pseudonymise}").unwrap();
        assert!(Operators::new(plan, None).is_ok());
    }

    #[test]
    fn without_randomness_nothing_is_encrypted() {
        let mut run = operators("default: {operator: encrypt}");
        let refused = run.rewrite("Ann", &findings("Ann", &[("Ann", "PERSON")]), &mut || None).err();
        assert_eq!(refused, Some(RewriteError::Operator(OperatorError::NoNonce)));
    }

    proptest! {
        #[test]
        fn what_is_encrypted_comes_back(
            parts in proptest::collection::vec(("[ a-zé👍<>:.]{0,9}", ".{1,9}", 0_usize..3), 0..8), tail in "[ -~]{0,6}",
        ) {
            let kinds = ["PERSON", "NL_BSN", "USERNAME"];
            let (mut text, mut found) = (String::new(), Vec::new());
            for (before, value, kind) in &parts {
                text.push_str(before);
                found.push(at(text.len(), text.len() + value.len(), kinds[*kind]));
                text.push_str(value);
            }
            text.push_str(&tail);
            let mut run = operators("default: {operator: encrypt}");
            let rewritten = run.rewrite(&text, &found, &mut nonce()).ok().unwrap();
            let secrets = Secrets::derive(&[1; 32]).unwrap();
            prop_assert_eq!(secrets.undo(&rewritten.text).unwrap(), text);
        }

        #[test]
        fn a_mask_keeps_the_number_of_code_points(value in "\\PC{1,20}", count in 0_usize..25, from_end: bool) {
            let shown = masked(&value, '*', Some(count), from_end);
            let (given, shown): (Vec<char>, Vec<char>) = (value.chars().collect(), shown.chars().collect());
            prop_assert_eq!(given.len(), shown.len());
            let left = given.len().saturating_sub(count);
            let seen = if from_end { 0..left } else { given.len() - left..given.len() };
            prop_assert_eq!(&given[seen.clone()], &shown[seen.clone()]);
            prop_assert!((0..given.len()).filter(|at| !seen.contains(at)).all(|at| shown[at] == '*'));
        }
    }
}
