//! Structured identifiers in the ways people write them, and numbers that look like them and are none.

use super::{found, load, ruleset, took};

fn all(text: &str) -> Vec<(&str, String)> {
    found(text, &ruleset().detect(text, &[]))
}

#[test]
fn numbers_are_found_in_the_spellings_people_use() {
    for (text, passage, entity) in [
        ("mijn bsn is 9999 90 019 hoor", "9999 90 019", "NL_BSN"),
        ("BSN:999990019.", "999990019", "NL_BSN"),
        ("bsnnr. 999.990.482", "999.990.482", "NL_BSN"),
        ("app 06 - 12 34 56 78", "06 - 12 34 56 78", "PHONE_NUMBER"),
        ("app 06.12.34.56.78", "06.12.34.56.78", "PHONE_NUMBER"),
        ("app 06/12345678", "06/12345678", "PHONE_NUMBER"),
        ("app +31(0)6-12345678", "+31(0)6-12345678", "PHONE_NUMBER"),
        ("app +31 (0) 6 1234 5678", "+31 (0) 6 1234 5678", "PHONE_NUMBER"),
        ("app 0031 6 12345678", "0031 6 12345678", "PHONE_NUMBER"),
        ("app (0)6-12345678", "(0)6-12345678", "PHONE_NUMBER"),
        ("(bel 06-12345678)", "06-12345678", "PHONE_NUMBER"),
        ("of (06-12345678)", "06-12345678", "PHONE_NUMBER"),
        ("bel 020 - 555 12 34", "020 - 555 12 34", "PHONE_NUMBER"),
        ("bel (0223) 12 34 56", "(0223) 12 34 56", "PHONE_NUMBER"),
        ("iban nl91 abna 0417 1643 00", "nl91 abna 0417 1643 00", "IBAN_CODE"),
        ("iban NL 91 ABNA 0417.1643.00", "NL 91 ABNA 0417.1643.00", "IBAN_CODE"),
        ("iban ES91 2100 0418 4502 0005 1332", "ES91 2100 0418 4502 0005 1332", "IBAN_CODE"),
        ("kenteken 12-ab-cd", "12-ab-cd", "NL_LICENSE_PLATE"),
        ("kenteken is 1 abc 23", "1 abc 23", "NL_LICENSE_PLATE"),
        ("mijn ip: 203.0.113.77", "203.0.113.77", "IP_ADDRESS"),
        ("via 2001:db8::8a2e:370:7334", "2001:db8::8a2e:370:7334", "IP_ADDRESS"),
        ("mac 00-1B-44-11-3A-B7", "00-1B-44-11-3A-B7", "MAC_ADDRESS"),
        ("klantnr: 1234567", "1234567", "CUSTOMER_NUMBER"),
        ("mijn zaaknr is Z-2023-00123", "Z-2023-00123", "CASE_NUMBER"),
        ("geb. 12-03-1980", "12-03-1980", "DATE_OF_BIRTH"),
        ("(geboren: 12 maart 1980)", "12 maart 1980", "DATE_OF_BIRTH"),
        ("ik ben pas 43", "43", "AGE"),
        ("ik ben 43 en heb drie kinderen", "43", "AGE"),
        ("mijn dochter van 8 zit ernaast", "8", "AGE"),
        ("mijn moeder is van 1948", "1948", "DATE_OF_BIRTH"),
        ("ik ben van 12 mei 1961", "12 mei 1961", "DATE_OF_BIRTH"),
        ("wonend op Voorbeeldgracht 310bis", "Voorbeeldgracht 310bis", "ADDRESS"),
        ("bij Voorbeeldstr. 5 na zessen", "Voorbeeldstr. 5", "ADDRESS"),
        ("stuur naar postbus 123 aub", "123", "ADDRESS"),
        ("aanslagnummer 999990019H460112", "999990019H460112", "NL_BSN"),
        ("aanslag 9999.90.342.H.46", "9999.90.342.H.46", "NL_BSN"),
        ("bel (0031) 6 12345678", "(0031) 6 12345678", "PHONE_NUMBER"),
        ("bel nul zes 12 34 56 78", "12 34 56 78", "PHONE_NUMBER"),
        ("call me on 07700 900123", "07700 900123", "PHONE_NUMBER"),
        ("mail jan@voorbeeld,nl", "jan@voorbeeld,nl", "EMAIL_ADDRESS"),
        ("pw: Tr0ub4dor&3", "Tr0ub4dor&3", "PASSWORD"),
        ("belg met kenteken 1-ABC-234", "1-ABC-234", "NL_LICENSE_PLATE"),
        ("mijn melding 20349535 is gesloten", "20349535", "CASE_NUMBER"),
        ("wachtwoord = Zomer2023!", "Zomer2023!", "PASSWORD"),
        ("kvknummer 12345678", "12345678", "NL_KVK"),
        ("mail jan@voorbeeld.nl", "jan@voorbeeld.nl", "EMAIL_ADDRESS"),
        ("mail jan [at] voorbeeld [dot] nl", "jan [at] voorbeeld [dot] nl", "EMAIL_ADDRESS"),
        ("zie t.me/voorbeeld", "t.me/voorbeeld", "URL"),
        ("locatie 52.370216,4.895168", "52.370216,4.895168", "GEO_COORDINATES"),
    ] {
        assert_eq!(all(text), [(passage, entity.to_owned())], "{text}");
    }
}

#[test]
fn numbers_that_belong_to_nobody_are_left_alone() {
    for text in [
        "het kostte € 1.234.567,89 en daarna 12345678,50 euro",
        "in 2024 waren het er 1500 en in 2023 nog 1499",
        "om 12:30:45 en van 10.15 tot 11.45 uur",
        "de btw gaat van 9% naar 21%",
        "artikel 5.1.2, lid 3 en paragraaf 12.3.4",
        "versie 10.0.19045.3693 van 14 november",
        "isbn 978-3-16-148410-0 of 9783161484100",
        "ordernummer 12345678 is niet binnen",
        "zaaknummer 2023-00123 loopt nog",
        "bestelling 1234567 stuks",
        "bel 112, 0900-8844, 0800-1234 of 14 020",
        "het is -5 tot +20 graden",
        "stand 3-2, gisteren 12-10",
        "de A12 en de N201 zijn dicht",
        "op 12-03-2024 en 3 april 2025 is er markt",
        "wij zijn 24/7 open",
        "van 1990-1995 en 2001/2002",
        "formaat 1920x1080, 16:9",
        "hoofdstuk 12 34 56",
        "1 op de 11 getallen, 2 x 3 = 6",
        "ik wacht al 43 dagen en bel 12 keer",
        "het huis is 40 jaar oud",
        "mijn wachtwoord werkt niet",
        "de pincode is vergeten",
        "barcode 8712345678906",
        "ijs van 4,5 x 3,75 meter",
        "commit 5f1d3c7a9b8e2d4c6f0a1b3c5d7e9f1a2b4c6d8e",
        "kamer 12-ABC of lokaal b1.23",
        "dat.was.het en o.a. dit",
        "2 kilo @ 3 euro",
        "Week 12, 2024 is weer voorbij",
        "IN 2024 IS ALLES ANDERS",
        "Regering 3, volk 0",
        "Tilburg 1, Volendam 2, Noordwijk 5 mei",
        "de vergadering 14-11-2024 en het hof 12-3",
        "mijn dochter is 12 keer gebeld",
        "de WW: 70% van het loon, ww per 01-01-2024",
    ] {
        assert_eq!(all(text), [], "{text}");
    }
}

#[test]
fn a_house_number_behind_a_postcode_is_found_without_a_street() {
    for (text, wanted) in [
        ("ik zit op 3512 JK 14", vec!["3512 JK", "14"]),
        ("1013GH-22 krijgt nooit post", vec!["1013GH", "22"]),
        ("postcode 1234ab, nr 12b", vec!["1234ab", "12b"]),
        ("bij 3512 JK 14 keer", vec!["3512 JK"]),
    ] {
        let passages: Vec<_> = all(text).into_iter().map(|(passage, _)| passage).collect();
        assert_eq!(passages, wanted, "{text}");
    }
}

#[test]
fn numbers_of_other_countries_leave_dutch_texts_alone() {
    for text in [
        "order 219099999 en pakket 078051120",
        "nummer 12345678Z staat op de doos",
        "de sleutel 811218-9876 hangt er",
        "code 1EG4 en XX12",
        "lot 86095742719 is verkocht",
        "kluis 44051401359",
        "kaart C01X00T47 uit de doos",
        "vlucht AB1234563",
        "mi 9434765919 sa",
    ] {
        let foreign = |entity: &str| {
            ["US_", "UK_", "DE_", "ES_", "IT_", "PL_", "FI_", "SE_", "BE_", "TR_", "ABA_", "MEDICAL_"]
                .iter()
                .any(|prefix| entity.starts_with(prefix))
        };
        let hits: Vec<_> = all(text).into_iter().filter(|(_, entity)| foreign(entity)).collect();
        assert_eq!(hits, [], "{text}");
    }
}

#[test]
fn a_label_reaches_its_value_and_no_further() {
    for (text, wanted) in [
        ("klantnummer: 1234567, 2345678 en 3456789", vec!["1234567", "2345678", "3456789"]),
        ("ordernummer: 1234567, 2345678", vec!["1234567", "2345678"]),
        ("klantnummer (1234567)", vec!["1234567"]),
        ("klantnummer nr. 1234567", vec!["1234567"]),
        ("klantnummer:\n1234567", vec!["1234567"]),
        ("1234567 is mijn klantnummer", vec!["1234567"]),
        ("klantnummer is kwijt. Er waren 1234567 mensen", vec![]),
        ("klantnummer dat ik hier kreeg 1234567", vec![]),
        ("klantnummers zijn geheim: 1234567", vec![]),
        ("klantnummer", vec![]),
    ] {
        let passages: Vec<_> = all(text).into_iter().map(|(passage, _)| passage).collect();
        assert_eq!(passages, wanted, "{text}");
    }
}

#[test]
fn evidence_of_a_labelled_value_names_the_label_and_its_place() {
    let text = "ja, klantnummer: 1234567";
    let findings = ruleset().detect(text, &[]);
    let evidence =
        findings.first().unwrap().evidence.iter().find(|e| e.rule.as_str() == "label.customer-number");
    assert_eq!(evidence.and_then(|e| e.span).and_then(|span| span.of(text)), Some("klantnummer"));
}

#[test]
fn a_key_of_many_lines_is_covered_to_its_end() {
    // Invented, and framed in two steps, so that a search for keys in this folder finds none.
    let line = "Verzonnen1Regel2Van3Een4Sleutel5Die6Nergens7Op8Past9En10Lang11Is12\n";
    let (kind, body) = ("PRIVATE", line.repeat(24));
    let text = format!(
        "-----BEGIN {kind} KEY-----\n{body}Laatste13Regel14Van15De16Sleutel\n-----END {kind} KEY-----"
    );
    let findings = ruleset().detect(&text, &[]);
    let end = text.find("\n-----END").unwrap();
    assert!(findings.iter().any(|f| f.span.start() == 28 && f.span.end() == end), "{findings:?}");
}

#[test]
fn faults_of_labels_are_told_with_line_and_mend() {
    let mut broken = super::files();
    broken.push((
        "z.yaml".into(),
        "recognizers:\n  - name: z\n    supported_entity: Z\n    kind: labelled\n    labels: [a b c d, '::']\n    within: 99\n    exemption: woo-5.1.2e\n    category: c\n    source: s\n    validator: nope\n    patterns: [{name: p, regex: '[a', score: 0.5, starts: code}]\n    examples: [{text: x, finds: []}]\n  - name: y\n    supported_entity: Y\n    labels: [y]\n    exemption: woo-5.1.2e\n    category: c\n    source: s\n    patterns: [{name: q, regex: 'y', score: 0.5, after: sign}]\n    examples: [{text: x, finds: []}]\n".into(),
    ));
    let told = load(&broken).err().unwrap().to_string();
    for part in [
        "z.yaml:2: `z`: label `a b c d` has more than 3 words",
        "holds no word",
        "`within` is 99; at most 8",
        "leave out `starts`",
        "z.yaml:2: `z`: validator `nope`",
        "z.yaml:11: regex `[a`",
        "z.yaml:13: `y` has labels and no pattern there",
        "`after` needs `starts: label`",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn labels_and_tokens_take_time_in_proportion() {
    let took = |text: &str| took(|| drop(std::hint::black_box(ruleset().detect(text, &[]))));
    for piece in [
        "klantnummer ",
        "bsn 1 ",
        "wachtwoord: ",
        "key\n",
        "token\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n",
        "nummer 1, 2, 3, ",
        "abcdefghijklmnop_",
        "punt at ",
        "é@",
        "1 is mijn bsn ",
        "ik ben ",
    ] {
        let (short, long) = (took(&piece.repeat(10_000)), took(&piece.repeat(80_000)));
        assert!(long < short * 40.0 + 0.3, "`{piece}`: {short} s, then {long} s");
    }
}

#[test]
fn the_documentation_names_every_recogniser_and_validator() {
    let table = std::fs::read_to_string(super::folder().join("../docs/entities.md")).unwrap();
    for r in ruleset().recognisers() {
        let row = format!("| {} | {} |", r.entity().as_str(), r.id().as_str());
        assert!(table.contains(&row), "docs/entities.md has no row `{row}`; add it");
    }
    let readme = std::fs::read_to_string(super::folder().join("README.md")).unwrap();
    for validator in crate::detect::Validator::all() {
        let name = format!("`{}`", validator.name());
        assert!(readme.contains(&name), "patterns/README.md does not name the validator {name}; add it");
    }
}
