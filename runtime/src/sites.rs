//! Where sampled allocations come from: counted by function, line and type.
//!
//! Invariants
//! - A1. A sample is taken in an allocation's slow path, when the exit record names the frame that allocates (C2).

use crate::code::CodeSource;
use crate::trap::Frame;
use hashbrown::HashMap;
use tenure_gc::ShapeId;

/// A place that allocates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AllocationSite {
    /// The function and line.
    pub frame: Frame,
    /// The type of the objects.
    pub type_name: String,
    /// Samples taken here.
    pub samples: u64,
    /// What they stand for.
    pub bytes: u64,
}

/// The samples of a VM: function, place in it and shape, with their number and bytes.
#[derive(Default)]
pub(crate) struct Sites(HashMap<(u32, u32, ShapeId), (u64, u64)>);

impl Sites {
    pub(crate) fn add(&mut self, (function, place): (u32, u32), shape: ShapeId, bytes: u64) {
        let count = self.0.entry((function, place, shape)).or_default();
        count.0 += 1;
        count.1 += bytes;
    }

    /// The sites by line, the most bytes first.
    pub(crate) fn list(&self, code: &dyn CodeSource, name: impl Fn(ShapeId) -> String) -> Vec<AllocationSite> {
        let mut sites: Vec<AllocationSite> = Vec::new();
        let mut index: HashMap<(String, String, u32, String), usize> = HashMap::new();
        for (&(function, place, shape), &(samples, bytes)) in &self.0 {
            let (frame, type_name) = (code.frame(function, place), name(shape));
            let key = (frame.function.clone(), frame.file.clone(), frame.line, type_name.clone());
            let at = *index.entry(key).or_insert_with(|| {
                sites.push(AllocationSite { frame, type_name, samples: 0, bytes: 0 });
                sites.len() - 1
            });
            sites[at].samples += samples;
            sites[at].bytes += bytes;
        }
        let place = |site: &AllocationSite| (site.frame.file.clone(), site.frame.line, site.type_name.clone());
        sites.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| place(a).cmp(&place(b))));
        sites
    }
}
