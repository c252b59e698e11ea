//! Generates the event types from the same file the services are generated from.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = "../../proto";
    let files = protox::compile(["ostiary/v1/record.proto"], [root])?;
    println!("cargo:rerun-if-changed={root}/ostiary/v1/record.proto");
    prost_build::Config::new().compile_fds(files)?;
    Ok(())
}
