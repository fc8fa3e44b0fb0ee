//! The kinds of workload, and their names.

/// What a program's allocation looks like from the collector's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum WorkloadClass {
    /// Not known, or not known yet.
    #[default]
    Unknown = 0,
    /// Little outlives a young collection.
    ShortLived = 1,
    /// Objects survive in young regions, and few become old.
    Surviving = 2,
    /// Much is allocated as large objects.
    LargeObjects = 3,
    /// More becomes old than old regions free.
    Growing = 4,
    /// What becomes old dies there.
    OldChurn = 5,
    /// It changes its habits from cycle to cycle.
    Phases = 6,
}

impl WorkloadClass {
    /// All of them, by number.
    pub const ALL: [WorkloadClass; 7] = [
        WorkloadClass::Unknown,
        WorkloadClass::ShortLived,
        WorkloadClass::Surviving,
        WorkloadClass::LargeObjects,
        WorkloadClass::Growing,
        WorkloadClass::OldChurn,
        WorkloadClass::Phases,
    ];

    /// As reports and model files write it.
    pub const fn name(self) -> &'static str {
        match self {
            WorkloadClass::Unknown => "unknown",
            WorkloadClass::ShortLived => "short-lived",
            WorkloadClass::Surviving => "surviving",
            WorkloadClass::LargeObjects => "large-objects",
            WorkloadClass::Growing => "growing",
            WorkloadClass::OldChurn => "churn-in-old",
            WorkloadClass::Phases => "phases",
        }
    }
}
