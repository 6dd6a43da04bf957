//! The fuzz targets (`fuzz/targets.rs`) on samples that were mutated: thousands of rounds, each time the same.

#[path = "../../fuzz/targets.rs"]
mod targets;

use countersign::clock::Random;

const ROUNDS: u32 = 4_000;
/// Pieces that mean something to one reader or another.
const PIECES: [&[u8]; 14] = [
    b"@",
    b".",
    b"\"",
    b"\r\n",
    b"\0",
    b"<",
    b",",
    b";",
    b"\n\n",
    b"--b",
    b"\xff\xfe",
    b"=cmd",
    b"PK\x03\x04",
    b"\x30\x82",
];

fn rounds() -> u32 {
    let told = std::env::var("COUNTERSIGN_FUZZ_ROUNDS").ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(ROUNDS)
}

/// Changes a few places of a sample: a bit, a byte, a piece put in, a part left out or told twice.
fn mutate(sample: &mut Vec<u8>, random: &Random) {
    let below = |end: usize| usize::try_from(random.below(end as u64)).unwrap();
    for _ in 0..1 + below(4) {
        let at = below(sample.len() + 1);
        let end = (at + below(64)).min(sample.len());
        match below(6) {
            0 if at < sample.len() => sample[at] ^= 1 << below(8),
            1 if at < sample.len() => sample[at] = random.bytes::<1>()[0],
            2 => drop(sample.splice(at..at, PIECES[below(PIECES.len())].iter().copied())),
            3 => drop(sample.drain(at..end)),
            4 => {
                let part = sample[at..end].repeat(1 + below(20));
                drop(sample.splice(at..at, part));
            }
            _ => sample.truncate(at),
        }
    }
}

fn run(name: &str, target: fn(&[u8])) {
    let seeds = targets::seeds(name);
    let random = Random::seeded(29);
    for seed in &seeds {
        target(seed);
    }
    for _ in 0..rounds() {
        let seed = usize::try_from(random.below(seeds.len() as u64)).unwrap();
        let mut sample = seeds[seed].clone();
        mutate(&mut sample, &random);
        target(&sample);
    }
}

#[test]
fn an_address_reads_as_itself_again_whatever_was_typed() {
    run("address", targets::address);
}

#[test]
fn no_text_but_the_very_token_is_taken() {
    run("token", targets::token);
}

#[test]
fn a_report_of_any_form_is_read_or_is_none() {
    run("report", targets::report);
}

#[test]
fn a_list_of_any_bytes_ends_with_rows_or_words() {
    run("list", targets::list);
}

#[test]
fn no_bytes_but_a_genuine_answer_stamp() {
    run("timestamp", targets::timestamp);
}
