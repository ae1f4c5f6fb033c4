//! The rows: what is promised, in which unit, and how it is compared.

use crate::stats::{median, range};

/// One promise. The names are those of `--only`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Row {
    #[value(name = "fanout-1k-w1")]
    Fanout1kW1,
    #[value(name = "fanout-10k-w1")]
    Fanout10kW1,
    #[value(name = "fanout-1k-w32")]
    Fanout1kW32,
    #[value(name = "fanout-10k-w32")]
    Fanout10kW32,
    Idle,
    AfterMessage,
    AfterClimbs,
    Connect,
    RelaySmall,
    RelayLarge,
    RelayIdle,
    Refusal,
    Ending,
    EndingAccount,
    Logins,
    LoginsBesideSockets,
    #[value(name = "idle-socketio")]
    IdleSocketIo,
    #[value(name = "emit-1k-w1")]
    Emit1kW1,
    #[value(name = "emit-1k-w32")]
    Emit1kW32,
    #[value(name = "idle-9p")]
    IdleNinep,
    #[value(name = "ninep-4k")]
    Ninep4k,
}

/// What a row must hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bar {
    /// Doorward divided by the baseline, at least.
    RatioAtLeast(f64),
    /// Doorward divided by the baseline, at most.
    RatioAtMost(f64),
    /// Doorward's own figure in this unit, at most, whatever the baseline has.
    ValueAtMost(f64, &'static str),
    /// The same, in every round.
    EveryValueAtMost(f64, &'static str),
    /// Only looked at.
    None,
}

impl Row {
    pub(crate) const ALL: [Self; 21] = [
        Self::Fanout1kW1,
        Self::Fanout10kW1,
        Self::Fanout1kW32,
        Self::Fanout10kW32,
        Self::Idle,
        Self::AfterMessage,
        Self::AfterClimbs,
        Self::Connect,
        Self::RelaySmall,
        Self::RelayLarge,
        Self::RelayIdle,
        Self::Refusal,
        Self::Ending,
        Self::EndingAccount,
        Self::Logins,
        Self::LoginsBesideSockets,
        Self::IdleSocketIo,
        Self::Emit1kW1,
        Self::Emit1kW32,
        Self::IdleNinep,
        Self::Ninep4k,
    ];

    /// The name in `--only` and in the last line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fanout1kW1 => "fanout-1k-w1",
            Self::Fanout10kW1 => "fanout-10k-w1",
            Self::Fanout1kW32 => "fanout-1k-w32",
            Self::Fanout10kW32 => "fanout-10k-w32",
            Self::Idle => "idle",
            Self::AfterMessage => "after-message",
            Self::AfterClimbs => "after-climbs",
            Self::Connect => "connect",
            Self::RelaySmall => "relay-small",
            Self::RelayLarge => "relay-large",
            Self::RelayIdle => "relay-idle",
            Self::Refusal => "refusal",
            Self::Ending => "ending",
            Self::EndingAccount => "ending-account",
            Self::Logins => "logins",
            Self::LoginsBesideSockets => "logins-beside-sockets",
            Self::IdleSocketIo => "idle-socketio",
            Self::Emit1kW1 => "emit-1k-w1",
            Self::Emit1kW32 => "emit-1k-w32",
            Self::IdleNinep => "idle-9p",
            Self::Ninep4k => "ninep-4k",
        }
    }

    /// What is measured, and in what.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Fanout1kW1 => "fan-out, 1k subscribers, 1 in flight: deliveries per CPU s",
            Self::Fanout10kW1 => "fan-out, 10k subscribers, 1 in flight: deliveries per CPU s",
            Self::Fanout1kW32 => "fan-out, 1k subscribers, 32 in flight: deliveries per CPU s",
            Self::Fanout10kW32 => "fan-out, 10k subscribers, 32 in flight: deliveries per CPU s",
            Self::Idle => "idle admitted socket, of 5k: bytes",
            Self::AfterMessage => "the same after an 8 KiB message each: bytes",
            Self::AfterClimbs => "admitted socket after 9,900 climbs at once: bytes",
            Self::Connect => "connect, upgrade, token: sockets per CPU s",
            Self::RelaySmall => "upstream gate, 128 B, 100 connections: messages per CPU s",
            Self::RelayLarge => "upstream gate, 64 KiB, 8 connections: bytes per CPU s",
            Self::RelayIdle => "idle relayed socket, of 4k: bytes",
            Self::Refusal => "a refused stranger: CPU us",
            Self::Ending => "ending 10k sockets, to the last Close: ms",
            Self::EndingAccount => "ending 10k sockets of one account, slowest run: ms",
            Self::Logins => "logins with a password: per s",
            Self::LoginsBesideSockets => "a round trip beside 500 who log in, p99: ms",
            Self::IdleSocketIo => "idle admitted socket of Socket.IO, of 5k: bytes",
            Self::Emit1kW1 => "emit to 1k clients of Socket.IO, 1 in flight: deliveries per CPU s",
            Self::Emit1kW32 => "emit to 1k clients of Socket.IO, 32 in flight: deliveries per CPU s",
            Self::IdleNinep => "idle attached connection of 9P, of 5k: bytes",
            Self::Ninep4k => "9P, 4 KiB, 100 connections: reads and writes per CPU s",
        }
    }

    /// The program that Doorward is compared with.
    pub(crate) fn baseline(self) -> &'static str {
        match self {
            Self::Fanout1kW1 | Self::Fanout10kW1 => "epoll, a send per delivery",
            Self::Fanout1kW32 | Self::Fanout10kW32 => "epoll, a send per subscriber and read",
            Self::Idle | Self::AfterMessage | Self::AfterClimbs | Self::IdleSocketIo | Self::IdleNinep => {
                "idle TcpStream in a tokio task"
            }
            Self::Ninep4k => "epoll, answers as long as a file server's",
            Self::Emit1kW1 | Self::Emit1kW32 => "npm `socket.io` 4, engine `ws`",
            Self::Connect | Self::Refusal => "epoll, accept and one message",
            Self::Ending | Self::EndingAccount => "idle TcpStream, its process killed",
            Self::Logins => "epoll, a hash and nothing else",
            Self::LoginsBesideSockets => "Doorward, nobody logs in",
            Self::RelaySmall | Self::RelayLarge | Self::RelayIdle => "tokio copy_bidirectional, 8 KiB",
        }
    }

    pub(crate) fn bar(self) -> Bar {
        match self {
            Self::Fanout1kW1 | Self::RelaySmall => Bar::RatioAtLeast(0.85),
            Self::Fanout10kW1 | Self::Fanout1kW32 | Self::Fanout10kW32 => Bar::RatioAtLeast(0.75),
            Self::Idle | Self::AfterMessage | Self::AfterClimbs | Self::LoginsBesideSockets => Bar::RatioAtMost(2.0),
            Self::Connect => Bar::RatioAtLeast(0.40),
            Self::Logins => Bar::RatioAtLeast(0.9),
            Self::RelayLarge => Bar::RatioAtLeast(1.5),
            Self::RelayIdle => Bar::ValueAtMost(2_500.0, "B"),
            Self::Ending => Bar::ValueAtMost(1_000.0, "ms"),
            Self::EndingAccount => Bar::EveryValueAtMost(1_000.0, "ms"),
            Self::IdleSocketIo => Bar::ValueAtMost(8_000.0, "B"),
            Self::IdleNinep => Bar::ValueAtMost(3_000.0, "B"),
            Self::Ninep4k => Bar::RatioAtLeast(0.5),
            Self::Emit1kW1 | Self::Emit1kW32 => Bar::RatioAtLeast(3.0),
            Self::Refusal => Bar::None,
        }
    }

    /// Member of the load generator's result that is the row's figure.
    pub(crate) fn figure(self) -> &'static str {
        if self == Self::RelayLarge { "bytes_per_cpu_s" } else { "value" }
    }

    /// Members of the result that are printed under the table.
    pub(crate) fn details(self) -> &'static [&'static str] {
        match self {
            Self::Fanout1kW1 | Self::Fanout10kW1 | Self::Fanout1kW32 | Self::Fanout10kW32 => {
                &["lost", "delivered_bytes", "per_read", "p50_ms", "p99_ms", "longest_ms"]
            }
            Self::Idle | Self::AfterMessage | Self::RelayIdle | Self::IdleSocketIo | Self::IdleNinep => {
                &["before_mb", "after_mb"]
            }
            Self::Ninep4k => &["requests", "wall_s"],
            Self::Emit1kW1 | Self::Emit1kW32 => {
                &["lost", "delivered_bytes", "deliveries", "wall_s", "p50_ms", "p99_ms", "longest_ms"]
            }
            Self::AfterClimbs => &["climbing", "at_once", "before_mb", "after_mb"],
            Self::Connect => &["us_each", "wall_s"],
            Self::RelaySmall | Self::RelayLarge => &["messages", "wall_s"],
            Self::Ending => &["receipt_ms", "within_ms", "ended", "list_ms"],
            Self::EndingAccount => &[
                "runs",
                "p50_ms",
                "p99_ms",
                "max_ms",
                "close_p50_ms",
                "close_p99_ms",
                "receipt_p50_ms",
                "receipt_max_ms",
                "within_p50_ms",
                "within_max_ms",
                "cpu_p50_ms",
                "ended",
            ],
            Self::Logins => &["logins", "cpu_ms_each", "p50_ms", "p99_ms"],
            Self::LoginsBesideSockets => {
                &["p50_ms", "p99_ms", "max_ms", "messages", "logins", "told_later", "cpu_share", "peak_mb"]
            }
            Self::Refusal => {
                &["refused", "told", "by_status", "unfinished", "bytes_each", "store_bytes_each", "wall_s"]
            }
        }
    }

    /// How many pairs of measurements a round takes: more where single ones scatter widely.
    pub(crate) fn pairs(self) -> usize {
        if matches!(self, Self::Fanout1kW32 | Self::Fanout10kW32) { 3 } else { 1 }
    }

    /// Whether the row is about accounts of the built-in site.
    pub(crate) fn has_accounts(self) -> bool {
        matches!(self, Self::EndingAccount | Self::Logins | Self::LoginsBesideSockets)
    }

    /// Whether the load generator asks the HTTP API.
    pub(crate) fn asks_the_api(self) -> bool {
        self.has_accounts() || self.is_held_against_node()
    }

    /// Whether the clients speak Socket.IO.
    pub(crate) fn speaks_socketio(self) -> bool {
        self == Self::IdleSocketIo || self.is_held_against_node()
    }

    /// Whether the clients speak 9P.
    pub(crate) fn speaks_ninep(self) -> bool {
        matches!(self, Self::IdleNinep | Self::Ninep4k)
    }

    /// Whether the baseline is a server on Node.
    pub(crate) fn is_held_against_node(self) -> bool {
        matches!(self, Self::Emit1kW1 | Self::Emit1kW32)
    }

    /// The mode of `raw` that is the baseline; `None` where that is Doorward, too, with less to do, or a server on Node.
    pub(crate) fn raw_mode(self) -> Option<&'static str> {
        Some(match self {
            Self::Fanout1kW1 | Self::Fanout10kW1 => "fanout",
            Self::Fanout1kW32 | Self::Fanout10kW32 => "fanout-batch",
            Self::Idle
            | Self::AfterMessage
            | Self::AfterClimbs
            | Self::IdleSocketIo
            | Self::IdleNinep
            | Self::Ending
            | Self::EndingAccount => "idle-tokio",
            Self::Connect | Self::Refusal => "connect",
            Self::Logins => "hashing",
            Self::Ninep4k => "files",
            Self::RelaySmall | Self::RelayLarge | Self::RelayIdle => "relay",
            Self::LoginsBesideSockets | Self::Emit1kW1 | Self::Emit1kW32 => return None,
        })
    }

    /// Whether the row needs the upstream behind the server.
    pub(crate) fn relays(self) -> bool {
        matches!(self, Self::RelaySmall | Self::RelayLarge | Self::RelayIdle)
    }
}

impl Bar {
    /// How the bar is written in the table.
    pub(crate) fn text(self) -> String {
        match self {
            Self::RatioAtLeast(bar) => format!(">= {bar:.2}"),
            Self::RatioAtMost(bar) => format!("<= {bar:.1}"),
            Self::ValueAtMost(bar, unit) | Self::EveryValueAtMost(bar, unit) => format!("<= {bar:.0} {unit}"),
            Self::None => "-".to_owned(),
        }
    }

    /// The figure of several rounds that is held against it: the middle one, or the worst where it is for every round.
    pub(crate) fn figure_of(self, rounds: &[f64]) -> Option<f64> {
        match self {
            Self::EveryValueAtMost(..) => Some(range(rounds)?.1),
            _ => median(rounds),
        }
    }

    /// Whether these figures hold it.
    pub(crate) fn held(self, ratio: f64, value: f64) -> bool {
        match self {
            Self::RatioAtLeast(bar) => ratio >= bar,
            Self::RatioAtMost(bar) => ratio <= bar,
            Self::ValueAtMost(bar, _) | Self::EveryValueAtMost(bar, _) => value <= bar,
            Self::None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn the_names_in_the_table_are_those_of_the_command_line() {
        for row in Row::ALL {
            assert_eq!(row.to_possible_value().unwrap().get_name(), row.name());
        }
        assert_eq!(Row::value_variants().len(), Row::ALL.len());
    }

    #[test]
    fn a_bar_is_held_at_its_edge_and_not_beyond() {
        assert!(Bar::RatioAtLeast(0.85).held(0.85, 0.0));
        assert!(!Bar::RatioAtLeast(0.85).held(0.849, 1e9));
        assert!(Bar::RatioAtMost(2.0).held(2.0, 1e9));
        assert!(!Bar::RatioAtMost(2.0).held(2.01, 0.0));
        assert!(Bar::ValueAtMost(2_500.0, "B").held(9.0, 2_500.0));
        assert!(!Bar::ValueAtMost(2_500.0, "B").held(0.1, 2_501.0));
        assert!(Bar::None.held(0.0, 0.0));
    }

    #[test]
    fn a_bar_for_every_round_is_held_by_the_worst_and_another_by_the_middle_one() {
        let rounds = [400.0, 1_200.0, 500.0];
        assert_eq!(Bar::ValueAtMost(1_000.0, "ms").figure_of(&rounds), Some(500.0));
        assert_eq!(Row::EndingAccount.bar().figure_of(&rounds), Some(1_200.0));
        assert_eq!(Row::EndingAccount.bar().figure_of(&[]), None);
        assert!(!Row::EndingAccount.bar().held(1.0, 1_200.0));
    }

    #[test]
    fn a_bar_of_a_value_names_its_unit() {
        assert_eq!(Row::Ending.bar().text(), "<= 1000 ms");
        assert_eq!(Row::RelayIdle.bar().text(), "<= 2500 B");
    }

    #[test]
    fn a_figure_that_is_no_number_holds_nothing() {
        assert!(!Bar::RatioAtLeast(0.85).held(f64::NAN, 0.0));
        assert!(!Bar::RatioAtMost(2.0).held(f64::NAN, 0.0));
    }
}
