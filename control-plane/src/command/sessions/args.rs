//! What can be asked about sessions.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};

use crate::command::client::Connection;

/// Find, replay, follow and end sessions
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List sessions, newest first
    #[command(after_help = "Examples:\n  ostiary sessions list --open\n  \
                            ostiary sessions list --subject claude-17 --limit 10")]
    List {
        /// Only of this resource
        #[arg(
            long,
            value_name = "NAME",
            default_value = "",
            hide_default_value = true
        )]
        resource: String,
        /// Only of this agent
        #[arg(
            long,
            value_name = "SUB",
            default_value = "",
            hide_default_value = true
        )]
        subject: String,
        /// Only those still open
        #[arg(long)]
        open: bool,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show one session
    #[command(after_help = "Examples:\n  ostiary sessions show 9c81")]
    Show {
        /// The id, or at least 4 characters of its beginning
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Find statements
    #[command(after_help = "Examples:\n  ostiary sessions search 'drop table'\n  \
                            ostiary sessions search orders --verb sql:delete --since 24h\n  \
                            ostiary sessions search --verdict deny --output json")]
    Search(Search),
    /// Play a session back, at its own pace
    ///
    /// Prints each statement when it came, its verdict with the rule behind it, approvals, and
    /// the result as the agent saw it: the first rows, masked.
    #[command(after_help = "Examples:\n  ostiary sessions replay 9c81\n  \
                            ostiary sessions replay 9c81 --speed 4 --max-pause 2\n  \
                            ostiary sessions replay 9c81 --instant")]
    Replay {
        /// The id, or at least 4 characters of its beginning
        id: String,
        /// Times as fast as it happened
        #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = speed)]
        speed: f64,
        /// Wait at most this many seconds between two events
        #[arg(long, value_name = "SECONDS", value_parser = seconds)]
        max_pause: Option<Duration>,
        /// Do not wait between events
        #[arg(long, conflicts_with_all = ["speed", "max_pause"])]
        instant: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Write what went over the streams of an operation (exec, attach) to standard output
    ///
    /// What a terminal would obey beside colours and the cursor is written as text.
    #[command(
        after_help = "Examples:\n  ostiary sessions export 9c81 > session.cast\n  \
                            ostiary sessions export 9c81 --operation 3 --format asciicast"
    )]
    Export {
        /// The id, or at least 4 characters of its beginning
        id: String,
        /// Which one, by its number in `replay`; needed if several have streams
        #[arg(long, value_name = "N")]
        operation: Option<u64>,
        /// How it is written
        #[arg(long, value_enum, default_value_t)]
        format: Export,
        #[command(flatten)]
        connection: Connection,
    },
    /// Follow a session live, from its beginning
    #[command(after_help = "Examples:\n  ostiary sessions tail 9c81\n  \
                            ostiary sessions tail 9c81 --new")]
    Tail {
        /// The id, or at least 4 characters of its beginning
        id: String,
        /// Only what comes from now on
        #[arg(long)]
        new: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// End a session now: its connection is closed
    ///
    /// Needs the operator role `admin`.
    #[command(after_help = "Examples:\n  ostiary sessions kill 9c81 --reason 'wrong branch'")]
    Kill {
        /// The id, or at least 4 characters of its beginning
        id: String,
        /// Kept in the record
        #[arg(
            long,
            value_name = "TEXT",
            default_value = "",
            hide_default_value = true
        )]
        reason: String,
        #[command(flatten)]
        connection: Connection,
    },
}

/// What to look for.
#[derive(Debug, clap::Args)]
pub(crate) struct Search {
    /// Text inside the statement, whatever its case
    #[arg(default_value = "", hide_default_value = true)]
    pub(super) text: String,
    /// Only of this resource
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) resource: String,
    /// Only of this agent
    #[arg(
        long,
        value_name = "SUB",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) subject: String,
    /// Only this verb, as policy names it (`sql:delete`)
    #[arg(
        long,
        value_name = "VERB",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) verb: String,
    /// Only with this verdict
    #[arg(long, value_enum)]
    pub(super) verdict: Option<Wanted>,
    /// Not before: `2h` for two hours ago, or a time such as 2026-05-04T13:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) since: Option<u64>,
    /// Not after, written as for --since
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) until: Option<u64>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(super) limit: u32,
    #[command(flatten)]
    pub(super) connection: Connection,
}

/// How streams are written.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Export {
    /// Version 3, which players of terminals read
    #[default]
    Asciicast,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Wanted {
    Allow,
    Approve,
    Deny,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        _ => Err("give a number above 0".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "give a number of seconds".to_owned())
}

/// A time, or how long ago it was, in microseconds since the Unix epoch.
fn moment(text: &str) -> Result<u64, String> {
    let time = match text.parse::<jiff::Timestamp>() {
        Ok(time) => time,
        Err(_) => {
            let ago: jiff::SignedDuration = text
                .parse()
                .map_err(|_| "give a time such as 2026-05-04T13:00:00Z, or an age such as 2h")?;
            jiff::Timestamp::now()
                .checked_sub(ago.abs())
                .map_err(|error| error.to_string())?
        }
    };
    u64::try_from(time.as_microsecond()).map_err(|_| "that is before 1970".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{moment, seconds, speed};
    use crate::output::now_us;

    #[test]
    fn a_moment_is_a_time_or_an_age() {
        assert_eq!(moment("1970-01-01T00:00:01Z"), Ok(1_000_000));
        let hour_ago = moment("1h").unwrap();
        let expected = now_us() - 3_600_000_000;
        assert!(hour_ago.abs_diff(expected) < 60_000_000);
        for text in ["", "yesterday", "1969-01-01T00:00:00Z", "12"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pace_is_a_number_that_time_can_have() {
        for text in ["0", "-1", "nan", "inf", "fast", ""] {
            assert!(speed(text).is_err(), "{text}");
        }
        for text in ["-1", "nan", "inf", "1e300", "x"] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert_eq!(speed("4"), Ok(4.0));
    }
}
