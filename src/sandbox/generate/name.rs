//! Owns plausible names, ids and prices.
//!
//! **Invariant:** the same draw gives the same name.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

const GIVEN: [&str; 40] = [
    "ana", "ben", "chiara", "david", "elif", "farid", "grace", "hugo", "ines", "jonas", "keiko",
    "liam", "maya", "nils", "olga", "pedro", "qi", "rosa", "samir", "tara", "uma", "viktor",
    "wanda", "xavier", "yara", "zoe", "aiko", "bruno", "clara", "dmitri", "emma", "felix", "greta",
    "hana", "ivan", "julia", "kofi", "lena", "marco", "nadia",
];
const FAMILY: [&str; 41] = [
    "lindqvist",
    "okafor",
    "rossi",
    "weber",
    "yilmaz",
    "haddad",
    "novak",
    "moreau",
    "costa",
    "berg",
    "tanaka",
    "murphy",
    "patel",
    "larsen",
    "petrova",
    "alvarez",
    "chen",
    "marino",
    "khan",
    "singh",
    "rao",
    "horvat",
    "nowak",
    "dubois",
    "nasser",
    "fischer",
    "sato",
    "silva",
    "jensen",
    "sokolov",
    "wright",
    "keller",
    "brandt",
    "kimura",
    "popov",
    "schmid",
    "mensah",
    "vogel",
    "greco",
    "farah",
    "ito",
];

/// Returns the name of the nth person of the organisation: `ana-lindqvist`.
pub(super) fn person(nth: u64) -> String {
    let (given, family) = (40, 41);
    let pick = |list: &'static [&'static str], at: u64| {
        list[usize::try_from(at).expect("below the list's length")]
    };
    // The counts have no common factor, so 1,640 names pass before one comes again.
    let name = format!("{}-{}", pick(&GIVEN, nth % given), pick(&FAMILY, nth * 7 % family));
    let round = nth / (given * family);
    if round == 0 { name } else { format!("{name}-{}", round + 1) }
}

/// Draws so many of `[a-z0-9]`.
pub(super) fn id(rng: &mut ChaCha8Rng, length: usize) -> String {
    let letters = b"abcdefghijklmnopqrstuvwxyz0123456789";
    (0..length).map(|_| char::from(letters[rng.random_range(0..letters.len())])).collect()
}

/// Draws a UUID.
pub(super) fn uuid(rng: &mut ChaCha8Rng) -> String {
    let (left, right): (u64, u64) = (rng.random(), rng.random());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        left >> 32,
        (left >> 16) & 0xffff,
        left & 0xfff,
        right >> 52,
        right & 0xffff_ffff_ffff
    )
}

/// Returns the prefix of a region's usage types and its prices in percent of `us-east-1`.
pub(super) fn region(region: &str) -> (&'static str, i64) {
    match region {
        "us-west-2" => ("USW2", 100),
        "eu-west-1" => ("EU", 111),
        "eu-central-1" => ("EUC1", 120),
        "ap-northeast-1" => ("APN1", 129),
        _ => ("USE1", 100),
    }
}

/// Returns the price of an instance hour in 10⁻⁴ USD in `us-east-1`.
pub(super) fn hourly(instance: &str) -> i64 {
    match instance {
        "ml.t3.medium" => 500,
        "ml.m5.large" => 1150,
        "ml.m5.2xlarge" => 4610,
        "ml.m5.4xlarge" => 9220,
        "ml.m5.12xlarge" => 27_650,
        "ml.g4dn.xlarge" => 7364,
        "ml.g5.xlarge" => 14_100,
        "ml.g5.2xlarge" => 15_150,
        "ml.g5.12xlarge" => 70_900,
        "ml.p4d.24xlarge" => 252_500,
        _ => 2300,
    }
}
