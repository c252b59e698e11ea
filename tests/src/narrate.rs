//! What the demo prints: headings, commands with what they said, and whether each step did what it
//! should.

use std::io::{IsTerminal as _, Write as _};

/// Prints to standard output, in colour on a terminal.
#[derive(Debug)]
pub struct Narrator {
    colour: bool,
    failed: Vec<String>,
    step: u32,
}

impl Default for Narrator {
    fn default() -> Self {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self {
            colour,
            failed: Vec::new(),
            step: 0,
        }
    }
}

impl Narrator {
    /// The next step of the story.
    pub fn step(&mut self, title: &str) {
        self.step += 1;
        let line = format!("\n{}. {title}", self.step);
        self.line(&self.paint("1", &line));
    }

    /// A heading outside the numbered steps.
    pub fn heading(&self, title: &str) {
        self.line(&self.paint("1", &format!("\n{title}")));
    }

    /// A sentence.
    pub fn say(&self, text: &str) {
        self.line(&format!("   {text}"));
    }

    /// A command as someone types it, and what it printed.
    pub fn ran(&self, who: &str, command: &str, said: &str) {
        self.typed(who, command);
        self.said(said);
    }

    /// A command as someone types it.
    pub fn typed(&self, who: &str, command: &str) {
        let who = self.paint("2", &format!("{who:>9}"));
        self.line(&format!(
            "{who} {} {}",
            self.paint("2", "$"),
            self.paint("36", command)
        ));
    }

    /// What a program printed.
    pub fn said(&self, text: &str) {
        for line in text.trim_end().lines() {
            self.line(&format!("           {line}"));
        }
    }

    /// What was to be shown, and whether it was.
    pub fn check(&mut self, what: &str, holds: bool) {
        if holds {
            self.line(&format!("   {} {what}", self.paint("32", "ok")));
        } else {
            self.line(&format!("   {} {what}", self.paint("31", "NOT SO")));
            self.failed.push(what.to_owned());
        }
    }

    /// What did not hold.
    pub fn failed(&self) -> &[String] {
        &self.failed
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn line(&self, text: &str) {
        // Nobody reads any more; the checks go on.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
}
