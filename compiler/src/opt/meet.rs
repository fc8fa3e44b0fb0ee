//! Objects that meet: where ways bring different objects of one layout to a block, and nothing behind it looks at more than
//! their fields, the fields are brought there instead. The objects are then seen by nobody, and scalar replacement takes
//! them out: the boxes of an iterator's elements, for one, which come from several places.
//!
//! An object takes part if all its uses are reads of its fields, tests for nil, and arguments for parameters that take
//! part; a parameter, if its uses are such, too, and each argument for it takes part. So nothing writes to the objects, and a
//! field is what it was made of.

use crate::ir::{Function, Op, Program, RecordId, Value, Values};
use hashbrown::HashMap;

/// Brings fields in the place of objects.
pub(super) fn run(function: &mut Function, program: &Program) {
    let members = members(function);
    if !members.values().any(|member| member.is_param) {
        return;
    }
    // what each field of a member is
    let mut fields: HashMap<Value, Values> = HashMap::new();
    for &param in function.blocks.iter().flat_map(|block| &block.params) {
        let Some(member) = members.get(&param) else { continue };
        let layout = &program.records[member.record.index()].fields;
        let first = function.values.len() as u32;
        function.values.extend(layout.iter().map(|field| field.ty));
        fields.insert(param, (first..first + layout.len() as u32).map(Value).collect());
    }
    for block in &function.blocks {
        for inst in &block.insts {
            if let (Op::New(_, operands), Some(result)) = (&inst.op, inst.result)
                && members.contains_key(&result)
            {
                fields.insert(result, operands.clone());
            }
        }
    }
    let replace = |values: &mut Values, is_member: &[bool]| {
        let mut all = Values::new();
        for (&value, &member) in values.iter().zip(is_member) {
            if member { all.extend_from_slice(&fields[&value]) } else { all.push(value) }
        }
        *values = all;
    };
    let params: Vec<Vec<bool>> =
        function.blocks.iter().map(|block| block.params.iter().map(|p| members.contains_key(p)).collect()).collect();
    let mut copies: HashMap<Value, Value> = HashMap::new();
    for (block, is_member) in function.blocks.iter_mut().zip(&params) {
        replace(&mut block.params, is_member);
        block.insts.retain_mut(|inst| match (&inst.op, inst.result) {
            (&Op::Load(_, field, object), Some(result)) if members.get(&object).is_some_and(|m| m.is_param) => {
                copies.insert(result, fields[&object][field as usize]);
                false
            }
            (&Op::IsNil(object), _) if members.contains_key(&object) => {
                inst.op = Op::Byte(0);
                true
            }
            _ => true,
        });
        block.terminator.edges_mut(|to, args| {
            if !args.is_empty() {
                replace(args, &params[to.index()]);
            }
        });
    }
    let resolve = |value: &mut Value| {
        while let Some(&copy) = copies.get(value) {
            *value = copy;
        }
    };
    for block in &mut function.blocks {
        block.insts.iter_mut().for_each(|inst| inst.op.visit_mut(resolve));
        block.terminator.visit_mut(resolve);
    }
}

/// An object, or a parameter for one.
struct Member {
    record: RecordId,
    is_param: bool,
}

/// What takes part. Everything is taken to until something speaks against it.
fn members(function: &Function) -> HashMap<Value, Member> {
    let mut members: HashMap<Value, Member> = HashMap::new();
    for block in &function.blocks {
        for inst in &block.insts {
            if let (Op::New(record, _), Some(object)) = (&inst.op, inst.result) {
                members.insert(object, Member { record: *record, is_param: false });
            }
        }
    }
    if members.is_empty() {
        return members;
    }
    // a parameter takes part with the layout of its arguments, which may be parameters themselves
    let mut changed = true;
    while std::mem::take(&mut changed) {
        each_handed_over(function, |arg, param| {
            if let Some(&Member { record, .. }) = members.get(&arg)
                && !members.contains_key(&param)
            {
                members.insert(param, Member { record, is_param: true });
                changed = true;
            }
        });
    }
    forget_used_otherwise(function, &mut members);
    let mut changed = true;
    while std::mem::take(&mut changed) {
        each_handed_over(function, |arg, param| {
            let fits = match (members.get(&arg), members.get(&param)) {
                (Some(a), Some(b)) => a.record == b.record,
                (None, None) => true,
                _ => false,
            };
            if !fits {
                changed |= members.remove(&arg).is_some() | members.remove(&param).is_some();
            }
        });
    }
    members
}

/// Calls `visit` with each argument of an edge and the parameter that it becomes.
fn each_handed_over(function: &Function, mut visit: impl FnMut(Value, Value)) {
    for block in &function.blocks {
        block.terminator.edges(|to, args| {
            for (&arg, &param) in args.iter().zip(&function.blocks[to.index()].params) {
                visit(arg, param);
            }
        });
    }
}

/// Takes out what is used in other ways than to read its fields, to test it or to pass it on.
fn forget_used_otherwise(function: &Function, members: &mut HashMap<Value, Member>) {
    for block in &function.blocks {
        for inst in &block.insts {
            match inst.op {
                Op::IsNil(_) => {}
                Op::Load(record, _, object) => {
                    if members.get(&object).is_some_and(|member| member.record != record) {
                        members.remove(&object);
                    }
                }
                _ => inst.op.visit(|value| {
                    members.remove(&value);
                }),
            }
        }
        block.terminator.visit_own(|value| {
            members.remove(&value);
        });
    }
}
