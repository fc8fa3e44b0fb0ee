//! Sizes, durations and shares as people type and read them.

use std::time::Duration;

/// Bytes of `256M`, `64K`, `2G` or a plain number.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let (digits, unit) = split_unit(text);
    let shift = match unit.to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        _ => return Err(format!("`{text}` is not a size: write a number with K, M or G, as in 256M")),
    };
    let number: u64 =
        digits.parse().map_err(|_| format!("`{text}` is not a size: write a number with K, M or G, as in 256M"))?;
    let bytes = number.checked_mul(1 << shift).ok_or_else(|| format!("`{text}` is too large"))?;
    if bytes == 0 { Err("a size can't be 0".into()) } else { Ok(bytes) }
}

/// A region size: a power of two from 64K to 32M.
pub fn parse_region_bytes(text: &str) -> Result<u64, String> {
    let bytes = parse_bytes(text)?;
    if !bytes.is_power_of_two() || !(64 << 10..=32 << 20).contains(&bytes) {
        return Err("a region is a power of two from 64K to 32M".into());
    }
    Ok(bytes)
}

/// A pause goal: `10ms`, `500us`, `1s`; not 0.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = split_unit(text);
    let wrong = || format!("`{text}` is not a duration: write a number with us, ms or s, as in 10ms");
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "us" | "µs" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        _ => return Err(wrong()),
    };
    if !(1e-6..=3600.0).contains(&seconds) {
        return Err("a duration lies between 1us and 3600s".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// A share given in percent, `45` or `45%`, as 0.45; between 5 and 95.
pub fn parse_percent(text: &str) -> Result<f64, String> {
    let number: f64 = text
        .strip_suffix('%')
        .unwrap_or(text)
        .parse()
        .map_err(|_| format!("`{text}` is not a percentage, as in 45"))?;
    if (5.0..=95.0).contains(&number) { Ok(number / 100.0) } else { Err("it lies between 5 and 95".into()) }
}

fn split_unit(text: &str) -> (&str, &str) {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
    text.split_at(at)
}

/// Bytes with the unit that leaves one to three digits before the point.
pub fn show_bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{} KiB", short(bytes as f64 / 1024.0)),
        0x10_0000..0x4000_0000 => format!("{} MiB", short(bytes as f64 / f64::from(1 << 20))),
        _ => format!("{} GiB", short(bytes as f64 / f64::from(1 << 30))),
    }
}

/// Nanoseconds with the unit that leaves one to three digits before the point.
pub fn show_ns(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} µs", short(ns as f64 / 1e3)),
        1_000_000..1_000_000_000 => format!("{} ms", short(ns as f64 / 1e6)),
        _ => format!("{} s", short(ns as f64 / 1e9)),
    }
}

/// Three significant digits, no needless zeros.
fn short(x: f64) -> String {
    let digits = if x >= 100.0 {
        0
    } else if x >= 10.0 {
        1
    } else {
        2
    };
    let text = format!("{x:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse_bytes("256M"), Ok(256 << 20));
        assert_eq!(parse_bytes("64k"), Ok(64 << 10));
        assert_eq!(parse_bytes("4096"), Ok(4096));
        for wrong in ["-3", "3T", "", "M", "0", "1.5M", "99999999999G"] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_region_bytes("1M"), Ok(1 << 20));
        for wrong in ["3M", "32K", "64M", "0"] {
            assert!(parse_region_bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_and_shares() {
        assert_eq!(parse_duration("10ms"), Ok(Duration::from_millis(10)));
        assert_eq!(parse_duration("0.5s"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "0ms", "10", "-1ms", "ms", "9999999s", "nan"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_percent("45"), Ok(0.45));
        assert_eq!(parse_percent("45%"), Ok(0.45));
        for wrong in ["0", "100", "-5", "nan", "x"] {
            assert!(parse_percent(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_people_read() {
        assert_eq!(show_bytes(512), "512 B");
        assert_eq!(show_bytes(1 << 20), "1 MiB");
        assert_eq!(show_bytes(3 << 19), "1.5 MiB");
        assert_eq!(show_bytes(123 << 20), "123 MiB");
        assert_eq!(show_ns(1_234), "1.23 µs");
        assert_eq!(show_ns(20_000_000), "20 ms");
        assert_eq!(show_ns(100_400_000), "100 ms");
    }
}
