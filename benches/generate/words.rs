//! Words for the generator: sentences in Dutch and parts of invented people.
//!
//! The numbers are the public test numbers; the plates are of a series that is not issued.

/// What the organisation posts.
pub const POSTS: &[&str] = &[
    "Van maandag tot en met vrijdag is de N999 's nachts dicht. U rijdt om via de N998.",
    "Een ontheffing aanvragen lukt nu niet door een storing. We werken aan een oplossing.",
    "Vanaf 1 juli gelden er nieuwe regels voor landbouwvoertuigen op de weg. Lees wat er verandert.",
    "Het loket in Oostkwel is volgende week alleen in de ochtend open.",
    "Minister Ilse Vermaatkamp opent vrijdag het nieuwe fietspad langs de N999.",
];
/// Reactions that ask something, with and without a question mark.
pub const QUESTIONS: &[&str] = &[
    "Wanneer krijg ik antwoord op mijn aanvraag van vorige maand?",
    "Geldt dit ook voor mensen die in het buitenland wonen?",
    "kan ik hier ook aan de balie terecht of moet alles online",
    "Waarom staat dit nergens op de website?",
    "Hoe lang gaat de omleiding duren? Ik moet elke dag naar mijn werk.",
    "Weet iemand of de bus wel gewoon rijdt?",
    "Moet ik dan een nieuwe ontheffing aanvragen, of loopt de oude door?",
    "Krijgen ondernemers een vergoeding voor de gemiste omzet?",
    "wie kan mij uitleggen wat er nu precies verandert",
    "Ik wil graag weten waar ik bezwaar kan maken.",
    "Is er rekening gehouden met rolstoelgebruikers?",
    "Kunt u dit ook in het Engels uitleggen? My husband doesn't speak Dutch.",
];
/// Reactions that ask nothing the organisation answers here.
pub const REMARKS: &[&str] = &[
    "Altijd hetzelfde liedje.",
    "Goed geregeld, dank jullie wel!",
    "Wat een puinhoop weer, dit duurt nu al weken.",
    "Eindelijk! Daar wachten we al jaren op.",
    "Belachelijk dat wij dit uit de krant moeten lezen.",
    "Niet te geloven. \"Tijdelijk\", zeiden ze vorig jaar ook.",
    "Mooi werk van de mannen en vrouwen in de nacht.",
    "Hierbij dien ik een klacht in over de behandeling van mijn aanvraag. Graag schriftelijk antwoord binnen zes weken.",
    "Ik vind het prima, beter 's nachts dan overdag.",
    "Sterkte voor iedereen die er last van heeft.",
];
/// First names.
pub const FIRST_NAMES: &[&str] = &[
    "Sanne",
    "Henk",
    "Fatiha",
    "Mehmet",
    "Agnieszka",
    "Sytske",
    "Radjin",
    "Willem-Jan",
    "Lotte",
    "Bilal",
    "Wendelien",
    "Elif",
    "Piotr",
    "Froukje",
    "Aya",
    "Cor",
    "Humphrey",
    "Nel",
    "Rachid",
    "Tjitske",
    "Orlando",
    "Marieke",
    "Gerrit",
    "Iris",
    "Daan",
    "Sven",
    "Bep",
    "Kees",
    "Noor",
    "Youssef",
    "Chantal",
    "Ömer",
    "José",
    "Zoë",
    "Małgorzata",
    "Jelte",
    "Anneke",
    "Dirk",
    "Soraya",
    "Ravi",
    "Tess",
    "Bram",
    "Hatice",
    "Joke",
];
/// Surnames, made so that nobody bears them if possible.
pub const SURNAMES: &[&str] = &[
    "Kromosoeto",
    "el Ouarrak",
    "van den Heuvelrug",
    "Wierdsma",
    "Karabıyıkoğlu",
    "Wróblicka",
    "Bûterhoeve",
    "van de Broekhorn",
    "Ramkhelawansing",
    "Hofsteede",
    "Zandhuizer",
    "Kweldijk",
    "Haddouchiri",
    "Brandstra",
    "Zijlmansveld",
    "Ramnarainsing",
    "Yıldırımlı",
    "Kwiatkowicz",
    "Postmastra",
    "Ben Larbiane",
    "van der Meerdijk",
    "Lobodijk",
    "Schaapsdijk",
    "Azmanoui",
    "Duinkerkenaar",
    "Ooievaarshorst",
    "Lindeboomsma",
    "Terwisscheveld",
    "ter Veldhuizerik",
    "de Graafwater",
    "Veenmos",
    "Tulpenkamp",
    "Zoutkamperveen",
    "op den Akkerhof",
];
/// Emoji, some of several code points.
pub const EMOJI: &[&str] = &["😡", "👍🏽", "🙏", "👏👏", "😂", "🚲", "👨‍👩‍👧‍👦", "🏳️‍🌈", "❤️", "🤦🏻‍♀️"];
/// Numbers that stand in every example.
pub const PHONES: &[&str] =
    &["06-12345678", "06 1234 5678", "+31 6 12345678", "0031 6 1234 5678", "010-1234567", "(020) 123 45 67"];
/// The public test accounts.
pub const ACCOUNTS: &[&str] =
    &["NL91ABNA0417164300", "NL91 ABNA 0417 1643 00", "NL02ABNA0123456789", "NL02 ABNA 0123 4567 89"];
/// The public test citizen service numbers (BSN).
pub const CITIZEN_NUMBERS: &[&str] = &["999990019", "999990342", "999990408", "999990482", "000009921"];
/// Streets of no place.
pub const STREETS: &[&str] =
    &["Kwelderlaan", "Lindekade", "de Dorpsstraat", "Waterlinieplein", "het Zandpad", "de Nieuwe Gracht"];
/// The letters of postcodes.
pub const LETTERS: &[&str] = &["AB", "CD", "EF", "GH", "JK", "LM", "NP", "RT", "VX", "ZB"];
/// The letters of licence plates.
pub const PLATES: &[&str] = &["TXB", "GKZ", "HSV", "LRN", "PDF", "ZJT"];
