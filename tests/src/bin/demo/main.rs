//! `just demo`: the main job, played against a real PostgreSQL with seeded data, an HTTP API and, where one
//! is installed, a Kubernetes API server. Exits 0 only if each step did what it should. `--stay` leaves
//! everything running, with the commands to try.

mod api;
mod cluster;
mod scene;
mod steps;

use std::process::ExitCode;

use ostiary_tests::{Result, narrate::Narrator};

use scene::Scene;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let stay = match arguments.as_slice() {
        [] => false,
        [one] if one == "--stay" => true,
        _ => {
            eprintln!("usage: ./bootstrap demo [--stay]");
            return ExitCode::from(2);
        }
    };
    match play(stay) {
        Ok(failed) if failed.is_empty() => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("\ndemo: {} of the checks did not hold:", failed.len());
            for what in failed {
                eprintln!("  {what}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("\ndemo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn play(stay: bool) -> Result<Vec<String>> {
    let mut tell = Narrator::default();
    tell.heading(
        "Ostiary: an agent, a reviewer, and a PostgreSQL neither of them has a password for",
    );
    let scene = Scene::build(&tell)?;
    steps::reads(&scene, &mut tell)?;
    steps::drops(&scene, &mut tell)?;
    steps::deletes(&scene, &mut tell)?;
    api::calls(&scene, &mut tell)?;
    cluster::scales(&scene, &mut tell)?;
    cluster::looks(&scene, &mut tell)?;
    steps::looks_back(&scene, &mut tell)?;
    if tell.failed().is_empty() {
        tell.heading("Each step did what it should.");
    }
    if stay {
        scene.stay(&tell)?;
    }
    Ok(tell.failed().to_vec())
}
