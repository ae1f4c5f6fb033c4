use std::{fmt, str::FromStr, time::Duration};

/// A point of wall-clock time: milliseconds since 1970-01-01T00:00:00Z. Time is always an argument here, never read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the epoch, as tokens carry them; saturates.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// This time and `duration` more; saturates.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; zero where it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds: `2026-11-22T01:53:06.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0 / 86_400_000, self.0 % 86_400_000);
        // Civil date from a day count (Howard Hinnant's `civil_from_days`), for days since 1970.
        let z = days + 719_468;
        let era = z / 146_097;
        let day_of_era = z % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        let (second, milli) = (rest / 1000 % 60, rest % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

/// A text is no time in the form of RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnreadableTime;

impl fmt::Display for UnreadableTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a time as RFC 3339 writes it, such as `2026-11-22T01:53:06Z`")
    }
}

impl std::error::Error for UnreadableTime {}

impl FromStr for Timestamp {
    type Err = UnreadableTime;

    /// RFC 3339, from 1970 on, with any offset. What is finer than a millisecond is cut off; a leap second is the one before it.
    fn from_str(text: &str) -> Result<Self, UnreadableTime> {
        read_rfc_3339(text).ok_or(UnreadableTime)
    }
}

fn read_rfc_3339(text: &str) -> Option<Timestamp> {
    let (date, rest) = (text.get(..10)?, text.get(11..)?);
    let (time, rest) = (rest.get(..8)?, rest.get(8..)?);
    if !matches!(text.as_bytes().get(10)?, b'T' | b't') {
        return None;
    }
    let [year, month, day] = three(date, [4, 2, 2], '-')?;
    let [hour, minute, second] = three(time, [2, 2, 2], ':')?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => 31,
    };
    if !(1..=12).contains(&month) || !(1..=days_in_month).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (millis, offset) = fraction(rest)?;
    let offset_minutes = match offset {
        "Z" | "z" => 0,
        _ => {
            let (sign, clock) = (offset.get(..1)?, offset.get(1..)?);
            let (hours, minutes) = (number(clock.get(..2)?)?, number(clock.get(3..)?)?);
            if clock.len() != 5 || clock.as_bytes().get(2) != Some(&b':') || hours > 23 || minutes > 59 {
                return None;
            }
            match sign {
                "+" => hours * 60 + minutes,
                "-" => -(hours * 60 + minutes),
                _ => return None,
            }
        }
    };
    // Days since 1970 of a civil date (Howard Hinnant's `days_from_civil`), for years from 1 on.
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    let seconds = days * 86_400 + hour * 3_600 + (minute - offset_minutes) * 60 + second.min(59);
    u64::try_from(seconds * 1_000 + millis).ok().map(Timestamp)
}

/// Milliseconds, and what comes after them: the offset.
fn fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(digits) = rest.strip_prefix('.') else { return Some((0, rest)) };
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, offset) = (digits.get(..count)?, digits.get(count..)?);
    let millis = format!("{:0<3}", digits.get(..count.min(3))?);
    (count > 0).then_some((number(&millis)?, offset))
}

/// Three numbers of so many digits each, with a separator between them.
fn three(text: &str, digits: [usize; 3], separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut next = |digits| parts.next().filter(|part| part.len() == digits).and_then(number);
    let numbers = [next(digits[0])?, next(digits[1])?, next(digits[2])?];
    parts.next().is_none().then_some(numbers)
}

fn number(text: &str) -> Option<i64> {
    text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_prints_as_rfc_3339() {
        assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(951_782_400_123).to_string(), "2000-02-29T00:00:00.123Z");
        assert_eq!(Timestamp::from_secs(1_795_312_386).to_string(), "2026-11-22T01:53:06.000Z");
    }

    #[test]
    fn a_time_reads_back_and_other_ways_to_write_it_are_the_same_time() {
        for millis in [0, 951_782_400_123, 1_795_312_386_000, 253_402_300_799_999] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(time.to_string().parse(), Ok(time));
        }
        let time = Timestamp::from_secs(1_795_312_386);
        for text in [
            "2026-11-22T01:53:06Z",
            "2026-11-22t01:53:06.0000009z",
            "2026-11-22T02:53:06+01:00",
            "2026-11-21T20:23:06-05:30",
        ] {
            assert_eq!(text.parse(), Ok(time), "{text}");
        }
        assert_eq!("2026-11-22T01:53:06.5Z".parse(), Ok(time.plus(Duration::from_millis(500))));
        assert_eq!("2016-12-31T23:59:60Z".parse(), Ok(Timestamp::from_secs(1_483_228_799)), "a leap second");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "now",
            "1795312386",
            "2026-11-22",
            "2026-11-22 01:53:06Z",
            "2026-11-22T01:53:06",
            "2026-11-22T01:53:06.Z",
            "2026-13-22T01:53:06Z",
            "2026-02-29T01:53:06Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T01:53:06+1:00",
            "2026-11-22T01:53:06+01:000",
            "+026-11-22T01:53:06Z",
            "1969-12-31T23:59:59Z",
            "2026-11-22T01:53:06Z ",
            "2026-11-22T01:53:0☂Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(UnreadableTime), "{text}");
        }
    }

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let late = Timestamp::from_millis(u64::MAX);
        assert_eq!(late.plus(Duration::from_secs(1)), late);
        assert_eq!(Timestamp::from_millis(5).since(late), Duration::ZERO);
        assert_eq!(Timestamp::from_secs(u64::MAX), late);
    }
}
