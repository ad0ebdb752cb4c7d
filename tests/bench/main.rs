//! `make bench`, second half: what the planner needs for large clusters.

mod large;
mod planner;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Measure the figures that the README states")]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// Wall time and peak memory of planning, over sizes of cluster.
    Planner,
    /// One row of `planner`, measured in this process and printed as JSON.
    PlannerRow {
        /// Which row, counted from zero.
        number: usize,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().part {
        Some(Part::PlannerRow { number }) => planner::print_row(number),
        Some(Part::Planner) | None => planner::print_table(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
