//! Imports: rows a second, beside the plainest program that puts the same file into a table.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::figures::resident_mb;
use super::stand::{self, Stand};
use crate::app::import::{Import, NewImport};
use crate::cli::Ended;
use crate::clock::Random;
use crate::domain::brand::Slug;
use crate::domain::email_address::AddressRules;
use crate::domain::policy::Source;
use crate::intake::candidate::{Batch, Reading};
use crate::intake::header::Columns;
use crate::intake::{Options, Rows};
use crate::store::plain::PlainTable;

const HEADER: &str = "email,name,order,date,city,country";

/// What was measured.
#[derive(Serialize)]
pub(super) struct ImportFigures {
    engine: &'static str,
    rows: u64,
    import_rps: f64,
    /// One prepared insert for each row, a thousand in a transaction; the file split at its commas.
    plain_rps: f64,
    ratio: f64,
    rss_mb: f64,
}

pub(super) async fn measure(
    folder: &Path,
    url: &str,
    engine: &'static str,
    count: u64,
) -> Result<ImportFigures, Ended> {
    let stand = stand::set_up(folder, url, &Random::Os).await?;
    let file = folder.join("people.csv");
    write(&file, count)?;
    // Plain first: whatever a warm file gives goes to the other one, and then to this one in the second half.
    let half = count / 2;
    let first = plain(&stand, &file, 0..half).await?;
    let import_s = import(&stand, &file, count).await?;
    let rss_mb = resident_mb();
    let second = plain(&stand, &file, half..count).await?;
    stand.server.stop(false).await;
    stand.app.store.close().await;
    let (import_rps, plain_rps) = (count as f64 / import_s, count as f64 / (first + second));
    Ok(ImportFigures {
        engine,
        rows: count,
        import_rps,
        plain_rps,
        ratio: import_rps / plain_rps,
        rss_mb,
    })
}

fn write(path: &Path, count: u64) -> Result<(), Ended> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "{HEADER}")?;
    for at in 0..count {
        // In no order, as people come.
        let person = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24;
        writeln!(
            file,
            "person.{person}@mail{}.example.net,Person {at},ORD-{at},2026-0{}-1{},Town {},NL",
            at % 500,
            1 + at % 9,
            at % 10,
            at % 977
        )?;
    }
    Ok(file.flush()?)
}

/// Seconds that it takes to import the file.
async fn import(stand: &Stand, path: &Path, count: u64) -> Result<f64, Ended> {
    let brand = stand.brand()?;
    let purpose = Slug::try_from("newsletter".to_owned()).map_err(Ended::Wrong)?;
    let import = Import {
        brand: &brand,
        purpose: &purpose,
        terms: stand.app.terms(&brand),
        language: "en",
    };
    let new = NewImport {
        name: "bench".to_owned(),
        file_name: "people.csv".to_owned(),
        file_sha256: [0; 32],
        reading: serde_json::Value::Null,
        proofs: Vec::new(),
    };
    let refused = |problem: &dyn std::fmt::Display| Ended::Refused(problem.to_string());
    let begun = Instant::now();
    let mut rows = Rows::open(path, &Options::default()).map_err(|p| refused(&p))?;
    let header = rows.header().map_err(|p| refused(&p))?;
    let source = Some(Source::Purchase);
    let reading = Reading {
        columns: Columns::of(&header.cells, &[], source).map_err(|p| refused(&p))?,
        batch: Batch {
            source,
            ..Batch::default()
        },
        order: None,
        zone: import.terms.zone.clone(),
        rules: AddressRules { any_domain: true },
        proofs: None,
    };
    let run = stand.app.begin_import(&import, new).await;
    let run = run.map_err(|p| refused(&p))?;
    let (tally, ended) = stand
        .app
        .run_import(&import, run, (rows, reading), None, |_| ())
        .await;
    ended.map_err(|p| refused(&p))?;
    let spent = begun.elapsed().as_secs_f64();
    if tally.counts.new == count {
        Ok(spent)
    } else {
        Err(Ended::Refused(format!(
            "only {} were taken in",
            tally.counts.new
        )))
    }
}

/// Seconds that the plain program takes for some of the rows.
async fn plain(stand: &Stand, path: &Path, rows: std::ops::Range<u64>) -> Result<f64, Ended> {
    let mut table = PlainTable::open(&stand.app.store).await?;
    let (skip, take) = (rows.start as usize + 1, (rows.end - rows.start) as usize);
    let lines = BufReader::new(File::open(path)?).lines();
    let begun = Instant::now();
    for line in lines.skip(skip).take(take) {
        let line = line?;
        let cells: Vec<&str> = line.split(',').collect();
        table.insert(&cells).await?;
    }
    table.end().await?;
    Ok(begun.elapsed().as_secs_f64())
}

pub(super) fn print(figures: &ImportFigures) {
    let f = figures;
    println!("Import of {} rows on {}", f.rows, f.engine);
    println!("taken in           {:>10.0} rows a second", f.import_rps);
    println!("plain inserts      {:>10.0} rows a second", f.plain_rps);
    println!("ratio              {:>10.2}", f.ratio);
    println!("resident memory    {:>10.1} MB", f.rss_mb);
}
