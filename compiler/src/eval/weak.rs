//! Weak references, weak maps and host resources in the evaluator, which frees nothing: a target is never gone, and
//! resources are dropped with the evaluator.

use hashbrown::HashMap;
use std::any::Any;

/// What is held weakly, by reference of the holder.
#[derive(Default)]
pub(super) struct Weak {
    targets: Vec<(u64, u64)>,
    pairs: HashMap<(u64, u64), u64>,
    /// With whether it has a holder.
    resources: Vec<(Option<Box<dyn Any + Send>>, bool)>,
}

impl Weak {
    pub(super) fn new_reference(&mut self, holder: u64, target: u64) -> u64 {
        self.targets.push((holder, target));
        self.targets.len() as u64 - 1
    }

    pub(super) fn target(&self, holder: u64, index: u64) -> u64 {
        match self.targets.get(index as usize) {
            Some(&(h, target)) if h == holder => target,
            _ => 0,
        }
    }

    pub(super) fn set_pair(&mut self, holder: u64, key: u64, value: u64) -> u64 {
        self.pairs.insert((holder, key), value);
        0
    }

    pub(super) fn pair(&self, holder: u64, key: u64) -> u64 {
        self.pairs.get(&(holder, key)).copied().unwrap_or(0)
    }

    pub(super) fn remove_pair(&mut self, holder: u64, key: u64) -> bool {
        self.pairs.remove(&(holder, key)).is_some()
    }

    pub(super) fn add_resource(&mut self, resource: Box<dyn Any + Send>) -> i64 {
        self.resources.push((Some(resource), false));
        self.resources.len() as i64 - 1
    }

    pub(super) fn own_resource(&mut self, index: u64) -> bool {
        match self.resources.get_mut(index as usize) {
            Some((Some(_), owned)) => !std::mem::replace(owned, true),
            _ => false,
        }
    }

    pub(super) fn resource(&self, index: i64) -> Option<&(dyn Any + Send)> {
        self.resources.get(usize::try_from(index).ok()?)?.0.as_deref()
    }

    pub(super) fn resource_mut(&mut self, index: i64) -> Option<&mut (dyn Any + Send)> {
        self.resources.get_mut(usize::try_from(index).ok()?)?.0.as_deref_mut()
    }

    pub(super) fn take_resource(&mut self, index: i64) -> Option<Box<dyn Any + Send>> {
        self.resources.get_mut(usize::try_from(index).ok()?)?.0.take()
    }
}
