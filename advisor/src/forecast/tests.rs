//! The forecasts' tests: errors against the baselines, bounds, and what is no number.

use super::series::{FEATURE_COUNT, FEATURES};
use super::*;

/// A snapshot of a pause that ended a cycle in which `bytes` were allocated in a millisecond.
fn snapshot(cycle: u64, bytes: f64) -> Snapshot {
    Snapshot {
        cycle,
        uptime_ns: cycle * 1_000_000,
        allocated_bytes: bytes as u64,
        mutator_cpu_ns: 1_000_000,
        young_bytes: bytes as u64,
        old_bytes: 8 << 20,
        ..Snapshot::default()
    }
}

fn foretold(rates: impl Iterator<Item = f64>, model: ForecastModel) -> Outlook {
    let mut forecaster = Forecaster::new(Arc::new(model));
    rates.enumerate().for_each(|(at, bytes)| forecaster.observe(&snapshot(at as u64 + 1, bytes)));
    forecaster.outlook(Quantity::Allocation).expect("cycles were seen")
}

#[test]
fn a_steady_rate_is_foretold_and_its_bounds_close_in() {
    let outlook = foretold(std::iter::repeat_n(2e6, 400), ForecastModel::default());
    for forecast in outlook.cycles.iter().chain([&outlook.minute]) {
        assert!((forecast.mid - 2.0).abs() < 1e-6, "{forecast:?}");
        assert!(forecast.low < forecast.mid && forecast.mid < forecast.high && forecast.high < 2.3, "{forecast:?}");
    }
}

#[test]
fn scattered_rates_are_averaged_and_a_walk_is_followed() {
    let scattered = (0..400).map(|at| if (at * 7) % 5 < 2 { 1e6 } else { 3e6 });
    let middle = foretold(scattered, ForecastModel::default()).cycles[2].mid;
    assert!((1.6..2.4).contains(&middle), "{middle}");
    let walk = (0..400).map(|at| 1e6 + 1e4 * at as f64);
    let next = foretold(walk, ForecastModel::default()).cycles[0].mid;
    assert!((4.9..5.0).contains(&next), "{next}");
}

/// A model that foretells `change` times the trend.
fn model(change: f64) -> ForecastModel {
    let mut weights = vec![0.0; FEATURE_COUNT];
    weights[FEATURES.iter().position(|name| *name == "trend_8").expect("listed")] = change;
    let fit = |at: usize| HorizonFit {
        quantity: QUANTITIES[at / HORIZON_COUNT].into(),
        cycles: HORIZONS[at % HORIZON_COUNT] as u64,
        weights: weights.clone(),
        errors: vec![0.1; EXPERTS],
        band: [-2.0, 2.0],
    };
    let fits = (0..QUANTITY_COUNT * HORIZON_COUNT).map(fit).collect();
    ForecastModel::new(&ForecastFile { features: FEATURES.map(str::to_owned).to_vec(), fits }).expect("usable")
}

#[test]
fn a_good_model_is_believed_and_a_bad_one_is_not() {
    let growth = || (0..200).map(|at| 1e6 * 1.01_f64.powi(at));
    let last = 1.01_f64.powi(199);
    let good = foretold(growth(), model(1.0)).cycles[0].mid;
    let bad = foretold(growth(), model(-500.0)).cycles[0].mid;
    assert!((good / last - 1.01).abs() < 1e-3, "{good}");
    assert!((bad / last - 1.0).abs() < 0.01, "{bad}");
}

#[test]
fn whatever_snapshots_hold_forecasts_are_numbers() {
    let mut forecaster = Forecaster::new(Arc::new(model(1000.0)));
    for cycle in 0..300 {
        let extreme = |odd: u64| if cycle % odd == 0 { u64::MAX } else { 0 };
        forecaster.observe(&Snapshot {
            cycle,
            uptime_ns: extreme(3),
            allocated_bytes: extreme(2),
            large_allocated_bytes: extreme(5),
            promoted_bytes: extreme(7),
            mutator_cpu_ns: extreme(4),
            young_bytes: extreme(3),
            survived_bytes: extreme(2),
            old_bytes: extreme(6),
            live_bytes: extreme(9),
            ..Snapshot::default()
        });
        for quantity in Quantity::ALL {
            let Some(outlook) = forecaster.outlook(quantity) else { continue };
            for f in outlook.cycles.iter().chain([&outlook.minute]) {
                assert!(f.low.is_finite() && f.high.is_finite() && 0.0 <= f.low && f.low <= f.mid && f.mid <= f.high);
            }
        }
    }
}

#[test]
fn foreign_and_hostile_files_are_refused() {
    let fit = |cycles: usize, weight: f64| HorizonFit {
        quantity: QUANTITIES[0].into(),
        cycles: cycles as u64,
        weights: vec![weight; FEATURE_COUNT],
        errors: vec![0.1; EXPERTS],
        band: [-1.0, 1.0],
    };
    let file = |weight: f64| {
        let fits = (0..QUANTITY_COUNT * HORIZON_COUNT).map(|at| HorizonFit {
            quantity: QUANTITIES[at / HORIZON_COUNT].into(),
            ..fit(HORIZONS[at % HORIZON_COUNT], weight)
        });
        ForecastFile { features: FEATURES.map(str::to_owned).to_vec(), fits: fits.collect() }
    };
    assert!(ForecastModel::new(&file(1.0)).is_ok());
    for weight in [f64::NAN, f64::INFINITY, 1e9] {
        assert!(ForecastModel::new(&file(weight)).unwrap_err().is_corrupt());
    }
    let mut other = file(1.0);
    other.features[0] = "lag_9".into();
    assert!(ForecastModel::new(&other).unwrap_err().is_mismatch());
}

#[test]
fn between_horizons_bounds_are_between() {
    let bounds: [[f64; 3]; HORIZON_COUNT] = std::array::from_fn(|h| [h as f64 - 1.0, h as f64, h as f64 + 1.0]);
    assert_eq!(between(&bounds, 1.0)[1], 0.0);
    assert!((between(&bounds, 8.0)[1] - 1.5).abs() < 1e-12);
    assert_eq!(between(&bounds, 64.0)[1], 3.0);
}
