//! Natives of `time`: clocks, and the calendar by the `jiff` crate. A moment is an int, nanoseconds since 1970 in UTC;
//! a zone is a text: `UTC`, `local`, an IANA name, or an offset such as `+02:00`.

use crate::signature::{Outcome, add, ints, text};
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp, Zoned};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tenure_runtime::native::NativeType::{Int, Ints, Str, Unit};
use tenure_runtime::native::{NativeContext, NativeValue, Registry};
use tenure_runtime::trap::{Trap, TrapKind};

/// The longest sleep, a day.
const SLEEP_MS_MAX: i64 = 24 * 60 * 60 * 1000;

/// A script that sleeps hears after this long that it has to stop.
const SLEEP_SLICE: Duration = Duration::from_millis(10);

pub(crate) fn register(registry: &mut Registry) {
    let zero = OnceLock::new();
    add(registry, "time.monotonic_ns", &[], Int, move |_| {
        let zero: &Instant = zero.get_or_init(Instant::now);
        Ok(NativeValue::Int(zero.elapsed().as_nanos() as i64))
    });
    add(registry, "time.unix_ms", &[], Int, |_| Ok(NativeValue::Int((since_1970().as_millis()) as i64)));
    add(registry, "time.unix_ns", &[], Int, |_| Ok(NativeValue::Int((since_1970().as_nanos()) as i64)));
    add(registry, "time.sleep_ms", &[Int], Unit, |cx| {
        let end = Instant::now() + Duration::from_millis(cx.int(0).clamp(0, SLEEP_MS_MAX) as u64);
        loop {
            cx.poll()?;
            if Instant::now() >= end {
                return Ok(NativeValue::Unit);
            }
            cx.wait(&mut |stop| {
                loop {
                    std::thread::sleep(end.saturating_duration_since(Instant::now()).min(SLEEP_SLICE));
                    if stop() || Instant::now() >= end {
                        break;
                    }
                }
            });
        }
    });
    add(registry, "time.check_zone", &[Str], Unit, |cx| zone(cx.str(0)).map(|_| NativeValue::Unit));
    add(registry, "time.local_zone", &[], Str, |cx| {
        let name = TimeZone::system().iana_name().unwrap_or("local").to_owned();
        text(cx, &name)
    });
    add(registry, "time.civil", &[Int, Str], Ints, |cx| {
        let at = zoned(cx)?;
        let fields = [
            i64::from(at.year()),
            i64::from(at.month()),
            i64::from(at.day()),
            i64::from(at.hour()),
            i64::from(at.minute()),
            i64::from(at.second()),
            i64::from(at.subsec_nanosecond()),
            i64::from(at.weekday().to_monday_one_offset()),
            i64::from(at.day_of_year()),
            i64::from(at.offset().seconds()),
        ];
        ints(cx, &fields)
    });
    add(registry, "time.from_civil", &[Ints, Str], Int, |cx| {
        let fields = cx.ints(0);
        let [year, month, day, hour, minute, second, nanosecond] = fields[..] else {
            return Err(refused("a moment has seven fields".into()));
        };
        let narrow = || {
            let date = (i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
            let time = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?);
            DateTime::new(date.0, date.1, date.2, time.0, time.1, time.2, i32::try_from(nanosecond).ok()?).ok()
        };
        let civil = narrow().ok_or_else(|| {
            refused(format!("there is no {year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"))
        })?;
        let at = civil.to_zoned(zone(cx.str(1))?).map_err(|error| refused(error.to_string()))?;
        moment(at.timestamp())
    });
    add(registry, "time.shift", &[Int, Str, Int, Int], Int, |cx| {
        let (months, days) = (cx.int(2), cx.int(3));
        let at = zoned(cx)?;
        let span = Span::new().try_months(months).and_then(|span| span.try_days(days));
        let moved = span.and_then(|span| at.checked_add(span));
        moment(moved.map_err(|_| refused(format!("{months} months and {days} days away is out of range")))?.timestamp())
    });
    add(registry, "time.format_moment", &[Int, Str, Str], Str, |cx| {
        let format = cx.str(2);
        let shown = strtime::format(format, &zoned(cx)?)
            .map_err(|error| refused(format!("time format {format:?}: {error}")))?;
        text(cx, &shown)
    });
    add(registry, "time.show_moment", &[Int, Str], Str, |cx| {
        let at = zoned(cx)?;
        let shown = at.timestamp().display_with_offset(at.offset()).to_string();
        let shown = if at.offset() == Offset::UTC { shown.replace("+00:00", "Z") } else { shown };
        text(cx, &shown)
    });
    add(registry, "time.read_moment", &[Str, Str], Int, |cx| {
        let written = cx.str(0).trim();
        if let Ok(at) = written.parse::<Timestamp>() {
            return moment(at);
        }
        let civil: DateTime = written
            .parse()
            .map_err(|_| refused(format!("{written:?} is not a date or time as in 2026-01-31T12:30:00Z")))?;
        let at = civil.to_zoned(zone(cx.str(1))?).map_err(|error| refused(error.to_string()))?;
        moment(at.timestamp())
    });
    add(registry, "time.read_moment_as", &[Str, Str, Str], Int, |cx| {
        let (written, format) = (cx.str(0), cx.str(1));
        let failed = |error: jiff::Error| refused(format!("{written:?} is not of the form {format:?}: {error}"));
        let parsed = strtime::parse(format, written).map_err(failed)?;
        if parsed.offset().is_some() || parsed.timestamp().is_some() {
            return moment(parsed.to_timestamp().map_err(failed)?);
        }
        let civil = match parsed.to_datetime() {
            Ok(civil) => civil,
            // without a time of day it is the day's beginning
            Err(error) => parsed.to_date().map_err(|_| failed(error))?.into(),
        };
        moment(civil.to_zoned(zone(cx.str(2))?).map_err(failed)?.timestamp())
    });
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn refused(message: String) -> Trap {
    Trap { kind_name: "time".into(), ..Trap::new(TrapKind::Error, message) }
}

/// The zone of a name.
fn zone(name: &str) -> Result<TimeZone, Trap> {
    let found = match name {
        "UTC" | "Z" => Some(TimeZone::UTC),
        "local" => Some(TimeZone::system()),
        _ => offset(name).map(TimeZone::fixed).or_else(|| TimeZone::get(name).ok()),
    };
    found.ok_or_else(|| refused(format!("there is no time zone {name:?}; use a name such as Europe/Berlin, or +02:00")))
}

/// `+02:00`
fn offset(name: &str) -> Option<Offset> {
    let sign = match name.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = name[1..].split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    let inside = hours <= 25 && minutes <= 59;
    let seconds = (i32::from(hours) * 60 + i32::from(minutes)) * 60;
    inside.then(|| Offset::from_seconds(sign * seconds).ok())?
}

/// The moment in argument 0, seen in the zone of argument 1.
fn zoned(cx: &dyn NativeContext) -> Result<Zoned, Trap> {
    let at = Timestamp::from_nanosecond(i128::from(cx.int(0))).map_err(|error| refused(error.to_string()))?;
    Ok(at.to_zoned(zone(cx.str(1))?))
}

fn moment(at: Timestamp) -> Outcome {
    match i64::try_from(at.as_nanosecond()) {
        Ok(ns) => Ok(NativeValue::Int(ns)),
        Err(_) => Err(refused(format!("{at} is out of range: moments go from 1677-09-22 to 2262-04-11"))),
    }
}

#[cfg(test)]
mod tests {
    use super::offset;

    #[test]
    fn offsets_are_read_or_not() {
        assert_eq!(offset("+02:00").map(|o| o.seconds()), Some(7200));
        assert_eq!(offset("-09:30").map(|o| o.seconds()), Some(-34200));
        assert!(["02:00", "+2:00", "+02", "+26:00", "+02:60", "", "+é2:00"].iter().all(|s| offset(s).is_none()));
    }
}
