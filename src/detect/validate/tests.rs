//! Tables of what passes and what does not. Numbers are published samples and test numbers.

use super::Validator;

#[test]
fn each_validator_takes_what_is_right_and_refuses_what_is_not() {
    for (name, good, bad) in CASES {
        let validator: Validator = name.parse().unwrap();
        good.iter().for_each(|text| assert!(validator.accepts(text), "{name} takes {text}"));
        bad.iter().for_each(|text| assert!(!validator.accepts(text), "{name} refuses {text}"));
    }
}

#[test]
fn every_validator_has_its_table_of_cases() {
    for validator in Validator::all() {
        assert!(CASES.iter().any(|(name, ..)| *name == validator.name()), "{}", validator.name());
        assert!(!validator.about().is_empty());
    }
}

#[test]
fn an_unknown_name_is_refused_with_the_names_there_are() {
    assert!("elf".parse::<Validator>().unwrap_err().contains("elfproef"));
}

#[test]
fn no_validator_breaks_on_odd_candidates() {
    let odd = [
        "",
        " ",
        "-",
        "0",
        "é",
        "😀",
        "::",
        "/",
        "1/",
        "eyJ.",
        "a.b.c",
        "999999999999999999999999999999999999999999",
    ];
    for validator in Validator::all() {
        odd.iter()
            .for_each(|text| assert!(!validator.accepts(text) || !text.trim().is_empty(), "{validator:?}"));
    }
}

#[test]
fn one_wrong_digit_breaks_a_checksum() {
    for (name, text) in [
        ("elfproef", "999990019"),
        ("iban", "NL91ABNA0417164300"),
        ("luhn", "4111111111111111"),
        ("vat-eu", "BE0411905847"),
        ("uk-nhs", "9434765919"),
        ("pl-pesel", "44051401359"),
        ("be-national", "85073003328"),
        ("us-npi", "1234567893"),
        ("tr-national", "10000000146"),
    ] {
        let validator: Validator = name.parse().unwrap();
        assert!(validator.accepts(text), "{name} {text}");
        for at in (0..text.len()).filter(|at| text.as_bytes()[*at].is_ascii_digit()) {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = if changed[at] == b'9' { b'8' } else { changed[at] + 1 };
            let changed = String::from_utf8(changed).unwrap();
            assert!(!validator.accepts(&changed), "{name} {changed}");
        }
    }
}

type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "elfproef",
        &["999990019", "9999.90.342", "999 990 408", "000009921", "00009921"],
        &["999998620", "000000000", "12345", "111111111", "9999900190"],
    ),
    ("tax-number-nl", &["999990019H460112", "9999.90.342.H.46.01"], &["999998620H460112", "12345678H46"]),
    ("a-number", &["1234567849", "1234568063"], &["1234567890", "0234567890", "1123456789", "123456789"]),
    ("education-number", &["999990019", "101234503"], &["999998620", "12345", "101234504"]),
    ("plate", &["AB-12-34", "1-ABC-23", "g001bb"], &["A-1-B", "ABCDEF", "123456", "9-mei-23", "12-jan-2"]),
    ("postcode", &["1234 AB"], &["1234 SS", "1234sa", "2024 is", "0234 AB"]),
    ("document-nl", &["SPECI2014", "NX1234567"], &["SPECIO014", "SPECI201", "SPECI201A", "AB12345678"]),
    (
        "vat-nl",
        &["NL999990019B01", "NL 9999.90.019.B01", "NL000099998B57"],
        &["NL123456780B01", "NL999990019"],
    ),
    (
        "iban",
        &[
            "NL91 ABNA 0417 1643 00",
            "nl91abna0417164300",
            "DE89 3704 0044 0532 0130 00",
            "BE68 5390 0754 7034",
            "GB29 NWBK 6016 1331 9268 19",
            "FR14 2004 1010 0505 0001 3M02 606",
            "MT84MALT011000012345MTLCAST001S",
            "NO9386011117947",
            "TR330006100519786457841326",
        ],
        &["NL91ABNA0417164301", "NL91ABNA041716430", "XX91ABNA0417164300", "NL9112340417164300", "DE"],
    ),
    (
        "luhn",
        &[
            "4111 1111 1111 1111",
            "5555-5555-5555-4444",
            "3782 822463 10005",
            "6011111111111117",
            "3530111333300000",
            "30569309025904",
            "2223003122003222",
        ],
        &["4111111111111112", "0000000000000000", "9781234567897", "49015420323751", "8712345678906"],
    ),
    ("bic", &["ABNANL2A", "INGBNL2AXXX", "deutdeff"], &["ABNA1L2A", "ABNAXX2A", "ABNANL2", "ABNANL2AXX"]),
    ("aba-routing", &["021000021", "011000015"], &["021000020", "990000021"]),
    (
        "vat-eu",
        &[
            "BE0411905847",
            "DE136695976",
            "ATU13585627",
            "FR40303265045",
            "GB980780684",
            "CHE-116.281.710 MWST",
            "ESB58378431",
        ],
        &["BE0411905848", "DE136695978", "XX136695976", "ATU1358562"],
    ),
    ("vat-it", &["00743110157"], &["00743110158", "0074311015"]),
    (
        "wallet",
        &[
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
            "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        ],
        &[
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
            "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdr",
            "0x0000000000000000000000000000000000000000",
            "bc1",
        ],
    ),
    (
        "date",
        &[
            "31-12-1990",
            "1990-12-31",
            "9-5-'10",
            "20 maart 2007",
            "1st of March 1999",
            "3e mei 1980",
            "maart 1980",
        ],
        &["31-02-1990", "32-12-1990", "13-13-13", "1-1-1200"],
    ),
    ("date-compact", &["12031980", "19800312", "120380"], &["32031980", "1203198"]),
    ("age", &["0", "43", "115 jaar"], &["116", "420 jaar"]),
    (
        "phone-nl",
        &["06-12345678", "(020) 5551234", "0223 123456", "612345678"],
        &[
            "0800-1234",
            "0900-1234567",
            "06-1234567",
            "0881234567",
            "085-1234567",
            "0140201234",
            "(06-12345678",
            "06-12-2023 10",
        ],
    ),
    ("phone-nl-anywhere", &["085-1234567", "087 123 45 67"], &["088-1234567", "0800-1234567", "06-12345678"]),
    (
        "phone-international",
        &["+31 6 12345678", "0031612345678", "(0031) 6 12345678", "+31(0)6 12345678", "+32 470 12 34 56"],
        &["+31 800 1234", "+31 6 1234", "+31 88 1234567"],
    ),
    (
        "phone-abroad",
        &["020 7946 0958", "(202) 555-0123", "07700 900123", "0151 23456789"],
        &["123-456-7890", "0000000000", "00 12 34 56 78", "088-12 34 567", "0123456789"],
    ),
    (
        "ipv4",
        &["192.168.1.1", "192.0.2.0/24", "192[.]0[.]2[.]44"],
        &["256.1.1.1", "0.0.0.0", "01.2.3.4", "192.0.2.0/33"],
    ),
    (
        "ipv6",
        &["fe80::1", "2001:db8:0:0:1:2:3:4", "fe80::1%eth0", "2001:db8::/32", "::ffff:192.0.2.1"],
        &["12:30", "1:2:3", "::1", "::", "12::30", "2001:db8::/129", "2001::db8::1"],
    ),
    (
        "mac",
        &["00:1B:44:11:3A:B7", "00-1b-44-11-3a-b7", "001b.4411.3ab7"],
        &["ff:ff:ff:ff:ff:ff", "01-02-03-04-05-06", "00:1B:44"],
    ),
    (
        "profile-url",
        &[
            "linkedin.com/in/voorbeeld",
            "https://www.facebook.com/voorbeeld",
            "https://x.com/voorbeeld/status/1",
            "mastodon.voorbeeld.nl/@els",
            "http://home.voorbeeld.nl/~jan",
            "voorbeeld.wordpress.com/over",
            "nl.linkedin.com/in/voorbeeld?x=1",
        ],
        &[
            "linkedin.com/company/voorbeeld",
            "facebook.com/events/123",
            "x.com/search",
            "voorbeeld.nl/onderwerpen",
            "netflix.com/title",
            "https://www.wordpress.com/",
            "maps.voorbeeld.nl/@52.09,5.12",
        ],
    ),
    (
        "geo-decimal",
        &["52.0907, 5.1214", "-33.8688/151.2093"],
        &["91.0000, 5.0000", "52.09, 5.12", "52.0907"],
    ),
    (
        "geo-degrees",
        &["52°05'26\"N 5°07'17\"E", "52° 5.434' N, 5° 7.283' E"],
        &["52°65'26\"N 5°07'17\"E", "52°05'26\"N"],
    ),
    (
        "reference",
        &["2023-00123", "Z12345", "AMS 21/1234"],
        &["2023", "12", "abc", "A1", "2023-2024", "12-03-2024"],
    ),
    ("password", &["Welkom01", "hoiHoi", "geheim!"], &["vergeten", "Verlopen", "m'n"]),
    ("key", &["a8f5f167f44f4964e6c998dee827110c"], &["aaaaaaaaaaaaaaaa1", "abc123", "arbeidsongeschiktheid"]),
    ("jwt", &["eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.abc"], &["eyJhbGciOiJub25lIn0", "eyJ.abc.def"]),
    ("account-name", &["jan_voorbeeld", "els92", "jan.v"], &["ingelogd", "123"]),
    (
        "us-ssn",
        &["078-05-1120", "219099999"],
        &["000-12-3456", "666-12-3456", "900-12-3456", "078-00-1120", "078-05-0000"],
    ),
    ("us-itin", &["912-70-1234"], &["912-49-1234", "812-70-1234"]),
    ("us-bank", &["945456787654", "1234 5678"], &["1234567", "00000000", "123456789012345678"]),
    ("us-npi", &["1234567893"], &["1234567890", "3234567893"]),
    ("us-mbi", &["1EG4-TE5-MK73"], &["1SG4-TE5-MK73", "0EG4-TE5-MK73", "1EG4-TE5-MK7"]),
    ("us-dea", &["AB1234563", "B91234563"], &["AB1234564", "A81234563", "IB1234563"]),
    ("us-passport", &["123456789", "A12345678"], &["AB1234567", "111111111"]),
    ("uk-nhs", &["943 476 5919"], &["943 476 5918", "9434765"]),
    ("uk-nino", &["AB 12 34 56 C"], &["QQ 12 34 56 C", "GB123456A", "AB123456E"]),
    ("uk-postcode", &["SW1A 1AA", "M1 1AE", "EC1A1BB"], &["SW1A 1CA", "Q1 1AE", "SW1A 11A", "1234 AB"]),
    ("uk-driving-licence", &["MORGA657054SM9IJ"], &["MORGA697054SM9IJ", "MORGA657", "1ORGA657054SM9IJ"]),
    ("de-tax-id", &["86095742719", "47036892816"], &["86095742718", "12345678901", "01234567890"]),
    ("de-document", &["C01X00T478", "L01X00T44"], &["C01X00T479", "AEIOU1234", "C01X00"]),
    ("de-health-insurance", &["A123456780"], &["A123456781", "1234567890"]),
    ("de-social-security", &["15 070649 C 103"], &["15 070649 C 104", "15 079949 C 103"]),
    ("de-lanr", &["123456601"], &["123456701"]),
    ("be-national", &["85.07.30-033.28"], &["85.07.30-033.29", "85.13.30-033.28"]),
    ("es-nif", &["12345678Z"], &["12345678A", "1234567Z"]),
    ("es-nie", &["X1234567L"], &["X1234567M", "A1234567L"]),
    ("it-fiscal-code", &["RSSMRA85T10A562S"], &["RSSMRA85T10A562T", "RSSMRA85T10A562"]),
    ("pl-pesel", &["44051401359"], &["44051401358", "44991401359"]),
    ("fi-hetu", &["131052-308T"], &["131052-308U", "991052-308T"]),
    ("se-personnummer", &["811218-9876", "19811218-9876"], &["811218-9875", "811318-9876"]),
    ("se-organisationsnummer", &["556016-0680"], &["556016-0681", "501016-0680"]),
    ("tr-national", &["10000000146"], &["10000000147", "00000000146"]),
];
