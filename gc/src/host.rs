//! What the host's side of a program may hold of a heap: handles, weak references, resources that die with an object,
//! objects that must not move, and memory of its own that counts toward the limit.
//!
//! Invariants
//! - O1. Host memory and committed granules together stay below the limit, as far as the host says what it takes.
//! - O2. While marking runs, each object that a weak read gives out is marked (rule (g)).

use std::any::Any;

use crate::error::OutOfMemory;
use crate::handle::{Handle, Local, Scope};
use crate::heap::{Heap, Roots};
use crate::pause::{Cause, Plan};
use crate::reference::Ref;
use crate::weak::{Full, Resource, ResourceId, WeakId};

/// An object that stays where it is; see [`Heap::pin`].
#[derive(Debug)]
#[must_use = "a pin that is forgotten lasts for as long as the heap"]
pub struct Pin(Handle);

impl Heap {
    fn no_table(&self) -> OutOfMemory {
        OutOfMemory { requested_bytes: 16, limit_bytes: self.envelope.limit_bytes }
    }

    // -- handles

    /// Opens a scope for locals.
    pub fn open_scope(&self) -> Scope {
        self.handles.open_scope()
    }

    /// Lets go of all locals made since the scope was opened.
    pub fn close_scope(&mut self, scope: Scope) {
        self.handles.close_scope(scope);
    }

    /// Holds an object until the innermost scope is closed. Never a safepoint.
    pub fn local(&mut self, object: Ref) -> Result<Local, OutOfMemory> {
        self.handles.local(object).ok_or_else(|| self.no_table())
    }

    /// Where a local's object is now.
    ///
    /// # Panics
    /// If its scope was closed.
    pub fn of_local(&self, local: Local) -> Ref {
        self.handles.of_local(local)
    }

    /// Holds an object until it is let go. Never a safepoint.
    pub fn handle(&mut self, object: Ref) -> Result<Handle, OutOfMemory> {
        self.handles.handle(object).ok_or_else(|| self.no_table())
    }

    /// Where a handle's object is now; nil once it was let go.
    pub fn of_handle(&self, handle: Handle) -> Ref {
        self.handles.of_handle(handle)
    }

    /// Lets go of a handle's object. The handle must not be used again.
    pub fn let_go(&mut self, handle: Handle) {
        self.handles.let_go(handle);
    }

    // -- pins

    /// Holds an object and keeps it where it is, so that native code may use its bytes without a copy while the program
    /// goes on. Its whole region stays, as if copying had failed: a pin should not last.
    pub fn pin(&mut self, object: Ref) -> Result<Pin, OutOfMemory> {
        let handle = self.handle(object)?;
        self.space.pin(object.0, true);
        Ok(Pin(handle))
    }

    /// The object of a pin, where it was when it was pinned.
    pub fn of_pin(&self, pin: &Pin) -> Ref {
        self.handles.of_handle(pin.0)
    }

    /// Lets the object move again, or go.
    pub fn unpin(&mut self, pin: Pin) {
        let object = self.handles.of_handle(pin.0);
        self.space.pin(object.0, false);
        self.handles.let_go(pin.0);
    }

    // -- weak references and weak maps

    /// A weak reference to `target`, for as long as `holder` lives. Never a safepoint.
    pub fn new_weak(&mut self, holder: Ref, target: Ref) -> Result<WeakId, OutOfMemory> {
        self.name_weakly(holder.0);
        self.name_weakly(target.0);
        self.weak.new_reference(holder.0, target.0).map(WeakId).map_err(|Full| self.no_table())
    }

    /// The target of a holder's weak reference; nil once it is gone, and for references of other holders.
    pub fn weak_target(&mut self, holder: Ref, weak: WeakId) -> Ref {
        let target = self.weak.target(holder.0, weak.0);
        self.given_out(target)
    }

    /// Sets the value that `holder` has for `key`: it lives as long as both. Never a safepoint.
    pub fn set_weak_pair(&mut self, holder: Ref, key: Ref, value: Ref) -> Result<(), OutOfMemory> {
        [holder, key, value].into_iter().for_each(|object| self.name_weakly(object.0));
        self.weak.set_pair(holder.0, key.0, value.0).map_err(|Full| self.no_table())
    }

    /// The value that `holder` has for `key`, or nil.
    pub fn weak_pair(&mut self, holder: Ref, key: Ref) -> Ref {
        let value = self.weak.pair(holder.0, key.0);
        self.given_out(value)
    }

    /// Removes the value that `holder` has for `key`; false if it has none.
    pub fn remove_weak_pair(&mut self, holder: Ref, key: Ref) -> bool {
        self.weak.remove_pair(holder.0, key.0)
    }

    /// O2: what was read from a weak slot is kept by the marking under way, for nothing else may refer to it.
    fn given_out(&mut self, object: u32) -> Ref {
        self.keep_read(object);
        Ref(object)
    }

    // -- host resources

    /// Keeps a value of the host's that takes `bytes` outside the heap. It lives until its holder (see
    /// [`own_resource`](Heap::own_resource)) is collected, it is taken out, or the heap is dropped. A safepoint.
    pub fn add_resource(
        &mut self,
        resource: Resource,
        bytes: u64,
        roots: &mut dyn Roots,
    ) -> Result<ResourceId, OutOfMemory> {
        self.make_room_for_host(bytes, roots)?;
        let added = self.weak.add_resource(resource, bytes).map_err(|Full| self.no_table())?;
        self.count_host_bytes();
        Ok(ResourceId(added))
    }

    /// Lets a resource be dropped once `holder` is collected: after that pause, on the thread that uses the heap. False if
    /// it has a holder already, or there is none of that number. Never a safepoint.
    pub fn own_resource(&mut self, holder: Ref, resource: ResourceId) -> Result<bool, OutOfMemory> {
        self.name_weakly(holder.0);
        self.weak.own_resource(holder.0, resource.0).map_err(|Full| self.no_table())
    }

    /// A resource that is still kept.
    pub fn resource(&self, resource: ResourceId) -> Option<&(dyn Any + Send)> {
        self.weak.resource(resource.0)
    }

    /// A resource that is still kept, to be changed.
    pub fn resource_mut(&mut self, resource: ResourceId) -> Option<&mut (dyn Any + Send)> {
        self.weak.resource_mut(resource.0)
    }

    /// Takes a resource out, to be dropped by the caller.
    pub fn take_resource(&mut self, resource: ResourceId) -> Option<Resource> {
        let taken = self.weak.take_resource(resource.0);
        self.count_host_bytes();
        taken
    }

    /// Drops the resources whose holders the last pause found dead.
    pub(crate) fn drop_dead_resources(&mut self) {
        self.stats.resource_panics += self.weak.drop_dead();
        self.count_host_bytes();
    }

    // -- host memory

    /// Counts memory that the host holds for the program toward the limit; collects if there is no room. A safepoint.
    pub fn add_host_bytes(&mut self, bytes: u64, roots: &mut dyn Roots) -> Result<(), OutOfMemory> {
        self.make_room_for_host(bytes, roots)?;
        self.host_bytes += bytes;
        self.count_host_bytes();
        Ok(())
    }

    /// The host gave back memory that it had counted.
    pub fn remove_host_bytes(&mut self, bytes: u64) {
        self.host_bytes = self.host_bytes.saturating_sub(bytes);
        self.count_host_bytes();
    }

    /// Memory that counts toward the limit besides the heap's own.
    pub fn host_bytes(&self) -> u64 {
        self.host_bytes + self.weak.resource_bytes()
    }

    fn count_host_bytes(&mut self) {
        self.space.set_host_bytes(self.host_bytes());
    }

    fn make_room_for_host(&mut self, bytes: u64, roots: &mut dyn Roots) -> Result<(), OutOfMemory> {
        let plans = [
            (Plan::Evacuate { mark: true, everything: false }, Cause::LargeAllocation),
            (Plan::Full, Cause::Compaction),
        ];
        for (plan, cause) in plans {
            if bytes <= self.space.room_bytes() {
                return Ok(());
            }
            self.pause(plan, cause, roots);
        }
        if bytes <= self.space.room_bytes() {
            return Ok(());
        }
        Err(OutOfMemory { requested_bytes: bytes, limit_bytes: self.envelope.limit_bytes })
    }
}
