//! What is claimed of an address on the command line. Several sources may be given; a date and a piece of proof belong to the
//! source before them, or to the first one.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

use crate::domain::policy::{Claim, SOURCES, Source};

/// The claims, in the order in which they were given.
pub struct Given(Vec<OneSource>);

struct OneSource {
    at: usize,
    source: Source,
    obtained_on: Option<String>,
    proof: Vec<(String, String)>,
}

impl Given {
    /// The claims, or what is wrong with the first one that cannot be.
    pub fn claims(&self) -> Result<Vec<Claim>, String> {
        self.0.iter().map(OneSource::claim).collect()
    }
}

impl OneSource {
    fn claim(&self) -> Result<Claim, String> {
        let claim = Claim::new(self.source, self.obtained_on.as_deref());
        self.proof
            .iter()
            .try_fold(claim, |claim, (key, value)| claim.prove(key, value))
            .map_err(|problem| problem.to_string())
    }
}

impl Args for Given {
    fn augment_args(command: Command) -> Command {
        let names = PossibleValuesParser::new(SOURCES.map(|row| row.name));
        command
            .arg(
                Arg::new("source")
                    .long("source")
                    .help("How the address came to the brand; `countersign policy` lists the sources. May be given several times")
                    .required(true)
                    .action(ArgAction::Append)
                    .hide_possible_values(true)
                    .value_parser(names.try_map(|name| Source::parse(&name).ok_or("no source"))),
            )
            .arg(
                Arg::new("obtained_on")
                    .long("obtained-on")
                    .help("The day of the act at the source before it: YYYY-MM-DD")
                    .value_name("DATE")
                    .action(ArgAction::Append),
            )
            .arg(
                Arg::new("proof")
                    .long("proof")
                    .help("A piece of proof for the source before it; may be given several times")
                    .value_name("KEY=VALUE")
                    .action(ArgAction::Append)
                    .value_parser(key_and_value),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.trim().to_owned(), value.to_owned()))
        .ok_or_else(|| "write it as KEY=VALUE".to_owned())
}

/// The values of an argument, each with its place on the command line.
fn placed<T: Clone + Send + Sync + 'static>(found: &ArgMatches, name: &str) -> Vec<(usize, T)> {
    let places = found.indices_of(name).into_iter().flatten();
    let values = found.get_many::<T>(name).into_iter().flatten().cloned();
    places.zip(values).collect()
}

impl FromArgMatches for Given {
    fn from_arg_matches(found: &ArgMatches) -> Result<Self, Error> {
        let mut sources: Vec<OneSource> = placed(found, "source")
            .into_iter()
            .map(|(at, source)| OneSource {
                at,
                source,
                obtained_on: None,
                proof: Vec::new(),
            })
            .collect();
        sources.sort_unstable_by_key(|one| one.at);
        for (at, day) in placed::<String>(found, "obtained_on") {
            if let Some(one) = before(&mut sources, at)
                && one.obtained_on.replace(day).is_some()
            {
                let twice = format!("--obtained-on is given twice for {}\n", one.source);
                return Err(Error::raw(ErrorKind::ArgumentConflict, twice));
            }
        }
        for (at, pair) in placed(found, "proof") {
            if let Some(one) = before(&mut sources, at) {
                one.proof.push(pair);
            }
        }
        Ok(Self(sources))
    }

    fn update_from_arg_matches(&mut self, found: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(found)?;
        Ok(())
    }
}

/// The source before a place; for what stands before all of them, the first.
fn before(sources: &mut [OneSource], at: usize) -> Option<&mut OneSource> {
    let index = sources.partition_point(|one| one.at < at).saturating_sub(1);
    sources.get_mut(index)
}
