//! What is measured at the end of a pause: plain numbers, units last in their names.

/// What a pause did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum CycleKind {
    /// Evacuated young regions only.
    #[default]
    Young = 0,
    /// A young pause that also began marking.
    ConcurrentStart = 1,
    /// The last young pause before mixed ones.
    PrepareMixed = 2,
    /// Evacuated young regions and candidates.
    Mixed = 3,
    /// Compacted the whole heap.
    Full = 4,
}

/// State of a heap at the end of a pause and what happened since the pause before. Bytes are committed or used bytes
/// of this heap; times are nanoseconds of the monotonic clock, CPU times of the collecting thread.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Number of pauses so far. 0 at the heap's birth, where the first decision is made and nothing is measured yet; the
    /// outcome of the decision made here carries the next number.
    pub cycle: u64,
    /// What kind it was.
    pub kind: CycleKind,
    /// Since the heap was made.
    pub uptime_ns: u64,
    /// The user's pause goal.
    pub pause_goal_ns: u64,

    // -- occupancy now
    /// Most that may be committed.
    pub limit_bytes: u64,
    /// Backed by memory.
    pub committed_bytes: u64,
    /// In survivor regions.
    pub survivor_bytes: u64,
    /// In old regions, dead objects among it.
    pub old_bytes: u64,
    /// In large objects.
    pub large_bytes: u64,
    /// Live in old regions and large objects at the last completed marking; 0 before the first.
    pub live_bytes: u64,
    /// The largest run of free address space that a region could take.
    pub largest_free_bytes: u64,

    // -- since the pause before
    /// Time the program ran.
    pub mutator_ns: u64,
    /// CPU time the program's thread used.
    pub mutator_cpu_ns: u64,
    /// Allocated in eden.
    pub allocated_bytes: u64,
    /// Allocated as large objects.
    pub large_allocated_bytes: u64,
    /// Objects and chunks that the write barrier logged.
    pub barrier_slow_paths: u64,
    /// Times the allocation slow path took a new eden region.
    pub eden_refills: u64,

    // -- this pause
    /// Its length.
    pub pause_ns: u64,
    /// CPU time of the collecting thread.
    pub pause_cpu_ns: u64,
    /// CPU time of the collector since the pause before, outside this one: markers, and the pauses of concurrent cycles.
    pub concurrent_cpu_ns: u64,
    /// CPU time of the marking that ended since the pause before; of the one within this pause, if it compacted.
    pub mark_ns: u64,
    /// Time from that marking's start to its end.
    pub mark_wall_ns: u64,
    /// Bytes that it found live, 0 without it.
    pub marked_bytes: u64,
    /// Copied into survivor regions.
    pub survived_bytes: u64,
    /// Copied into old regions from young ones.
    pub promoted_bytes: u64,
    /// Copied from old regions into old regions.
    pub compacted_bytes: u64,
    /// In young regions when it began.
    pub young_bytes: u64,
    /// Bytes of old regions and large objects that it freed.
    pub old_freed_bytes: u64,
    /// Entries scanned in store buffer and remembered sets.
    pub remembered_entries: u64,
    /// Free room at the tops of regions it left behind, open tails included.
    pub tail_waste_bytes: u64,
    /// Objects that could not be copied.
    pub failed_copies: u64,

    // -- regions now
    /// Old regions.
    pub old_regions: u32,
    /// Distinct region sizes alive.
    pub region_sizes_alive: u32,
    /// Old regions that wait to be collected.
    pub candidate_regions: u32,
    /// Bytes that collecting all of them would free.
    pub candidate_reclaimable_bytes: u64,

    // -- history
    /// Median of the last 32 pauses.
    pub pause_ns_p50: u64,
    /// 95th percentile of the last 32 pauses.
    pub pause_ns_p95: u64,
    /// Share of the last 32 pauses that exceeded the goal, 0 to 1.
    pub pause_misses: f64,
    /// Share of CPU the collector took over the last 32 cycles, 0 to 1.
    pub gc_cpu_share: f64,
    /// Full collections so far.
    pub full_collections: u64,
    /// Pauses since marking last finished; `u64::MAX` before the first.
    pub cycles_since_mark: u64,
}

/// What one decision led to: the cycle it was in force for, ended by one pause.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Number of the pause that ended the cycle; its decision was made at the snapshot numbered `cycle - 1`.
    pub cycle: u64,
    /// What that pause was.
    pub kind: CycleKind,
    /// Whether the heap was dropped before a pause came; all else is then 0 but `mutator_ns`.
    pub unfinished: bool,
    /// Length of the pause.
    pub pause_ns: u64,
    /// CPU time of the collector in this cycle.
    pub gc_cpu_ns: u64,
    /// Time the program ran.
    pub mutator_ns: u64,
    /// Allocated by the program, large objects included.
    pub allocated_bytes: u64,
    /// Copied in the pause, all destinations.
    pub copied_bytes: u64,
    /// Freed in the pause, eden included.
    pub freed_bytes: u64,
    /// Committed at the most during the cycle.
    pub committed_bytes_max: u64,
    /// Entries scanned in store buffer and remembered sets.
    pub remembered_entries: u64,
    /// Free room at the tops of regions.
    pub tail_waste_bytes: u64,
    /// Objects that could not be copied.
    pub failed_copies: u64,
}
