//! `make compare`: Evenkeel beside its peers, all three jobs on the same clusters and seeds, as tables and as a page.
//!
//! The only place where peers are played. A peer is a policy: what its description says that it does, by the calls that
//! it would make, against the simulated account.

#[cfg(test)]
mod best;
mod costs;
mod drains;
mod html;
mod job;
mod markdown;
mod measures;
mod reads;
mod rebalances;
mod rollouts;
mod runner;
mod statistics;
mod verdict;
mod words;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use clap::Parser;

use job::{JOBS, Job};

#[derive(Parser)]
#[command(about = "Play Evenkeel beside its peers, and write two pages about it")]
struct Arguments {
    /// How many seeds are played, counted from 1.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Only the job of this name: rebalance, drain or rollout.
    #[arg(long)]
    job: Option<String>,
    /// Where `compare.md` and `compare.html` are written.
    #[arg(long, default_value = "target/compare")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let is_asked = |job: &dyn Job| match &arguments.job {
        Some(name) => job.name().eq_ignore_ascii_case(name),
        None => true,
    };
    let jobs: Vec<&dyn Job> = JOBS.into_iter().filter(|job| is_asked(*job)).collect();
    if jobs.is_empty() {
        eprintln!("compare: there is no such job");
        return ExitCode::FAILURE;
    }
    let seeds: Vec<u64> = (1..=arguments.seeds).collect();
    let comparison = runner::compare(&jobs, &seeds, show);
    eprintln!();
    print!("{}", markdown::summary(&comparison));
    match write(&arguments.out, &comparison) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {}: {error}", arguments.out.display());
            ExitCode::FAILURE
        }
    }
}

/// The line that says how far it is.
fn show(done: usize, all: usize) {
    eprint!("\r{done} of {all} plays");
    let _unseen = io::stderr().flush();
}

fn write(folder: &Path, comparison: &runner::Comparison) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, text) in [("compare.md", markdown::page(comparison)), ("compare.html", html::page(comparison))]
    {
        fs::write(folder.join(name), text)?;
        println!("\nwritten: {}", folder.join(name).display());
    }
    Ok(())
}
