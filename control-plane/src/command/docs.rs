//! docs/cli.md, from the same definitions as the help.

use std::fmt::Write as _;

use clap::Command;

/// The whole command line as one page.
pub(crate) fn markdown(root: &Command) -> String {
    let mut root = root.clone().term_width(100).bin_name("ostiary");
    root.build();
    let mut page = String::from(
        "# The `ostiary` command\n\n\
         <!-- Written by `ostiary docs`; a test keeps it equal. Edit the help, not this file. -->\n",
    );
    section(&root, &mut page);
    page
}

fn section(command: &Command, page: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let help = command.clone().render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    // Writing to a string does not fail.
    let _ = write!(
        page,
        "\n## `{name}`\n\n```text\n{}\n```\n",
        help.join("\n").trim()
    );
    for sub in command.get_subcommands() {
        if !sub.is_hide_set() && sub.get_name() != "help" {
            section(sub, page);
        }
    }
}
