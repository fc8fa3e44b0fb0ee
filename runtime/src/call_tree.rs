//! Samples of the stack, added up: stacks that begin alike share what they have in common.
//!
//! It must never know when a sample is taken, nor what weights are.
//!
//! Invariants
//! - S1. A node is added behind all nodes above it; the first is the root.
//! - S2. Of two siblings, the steps differ.
//!
//! The calling context tree is Ammons, Ball and Larus' (Exploiting hardware performance counters with flow and context
//! sensitive profiling, 1997), here of samples.

/// Nodes of a full tree, 28 bytes each; what comes below then is in [`Step::Rest`], of which each of them may have one.
const NODES_MAX: usize = 1 << 20;

/// What a node adds to the stack of the one above it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Step {
    /// A frame of the script: function, and place in it.
    Code(u32, u32),
    /// A native function.
    Native(u32),
    /// The collector's work on the program's thread.
    Collector,
    /// The compiler's, when a function is first called.
    Compiler,
    /// Whatever came below when the tree was full; the root's step too, which nobody asks for.
    Rest,
}

/// A stack that was seen, by its number in the tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Node(u32);

#[derive(Debug)]
struct NodeData {
    step: Step,
    weight: u64,
    /// The root stands for none, for it is nobody's child.
    first_child: Node,
    sibling: Node,
}

/// The samples so far.
#[derive(Debug)]
pub(crate) struct CallTree {
    nodes: Vec<NodeData>,
    nodes_max: usize,
}

impl CallTree {
    /// The empty stack.
    pub(crate) const ROOT: Node = Node(0);

    pub(crate) fn new() -> CallTree {
        CallTree::with_room(NODES_MAX)
    }

    fn with_room(nodes_max: usize) -> CallTree {
        let root = NodeData { step: Step::Rest, weight: 0, first_child: Node(0), sibling: Node(0) };
        CallTree { nodes: vec![root], nodes_max }
    }

    /// The stack of one more step.
    pub(crate) fn enter(&mut self, above: Node, step: Step) -> Node {
        if let Some(known) = self.children(above).find(|&child| self.step(child) == step) {
            return known;
        }
        if above != CallTree::ROOT && self.step(above) == Step::Rest {
            return above;
        }
        if self.nodes.len() >= self.nodes_max && step != Step::Rest {
            return self.enter(above, Step::Rest);
        }
        let node = Node(self.nodes.len() as u32);
        let sibling = std::mem::replace(&mut self.nodes[above.0 as usize].first_child, node);
        self.nodes.push(NodeData { step, weight: 0, first_child: Node(0), sibling });
        node
    }

    /// A sample of this stack.
    pub(crate) fn add(&mut self, node: Node, weight: u64) {
        self.nodes[node.0 as usize].weight += weight;
    }

    pub(crate) fn step(&self, node: Node) -> Step {
        self.nodes[node.0 as usize].step
    }

    /// Of samples of exactly this stack.
    pub(crate) fn weight(&self, node: Node) -> u64 {
        self.nodes[node.0 as usize].weight
    }

    /// The stacks of one more step.
    pub(crate) fn children(&self, node: Node) -> impl Iterator<Item = Node> {
        let first = self.first_child(node);
        std::iter::successors(first, |&child| self.sibling(child))
    }

    /// The first of them.
    pub(crate) fn first_child(&self, node: Node) -> Option<Node> {
        Some(self.nodes[node.0 as usize].first_child).filter(|&child| child != CallTree::ROOT)
    }

    /// The one after it.
    pub(crate) fn sibling(&self, node: Node) -> Option<Node> {
        Some(self.nodes[node.0 as usize].sibling).filter(|&sibling| sibling != CallTree::ROOT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_share_what_they_have_in_common() {
        let mut tree = CallTree::new();
        let main = tree.enter(CallTree::ROOT, Step::Code(1, 0));
        let there = tree.enter(main, Step::Code(2, 5));
        let elsewhere = tree.enter(main, Step::Code(2, 6));
        tree.add(there, 3);
        tree.add(elsewhere, 4);
        tree.add(main, 5);
        let again = tree.enter(CallTree::ROOT, Step::Code(1, 0));
        assert_eq!((again, tree.enter(again, Step::Code(2, 5))), (main, there));
        tree.add(there, 10);
        assert_eq!([main, there, elsewhere].map(|node| tree.weight(node)), [5, 13, 4]);
        assert_eq!(tree.children(main).collect::<Vec<_>>(), [elsewhere, there]);
        assert_eq!(tree.nodes.len(), 4);
    }

    #[test]
    fn a_full_tree_tells_what_is_new_no_longer_apart() {
        let mut tree = CallTree::with_room(3);
        let main = tree.enter(CallTree::ROOT, Step::Code(1, 0));
        let known = tree.enter(main, Step::Code(2, 0));
        let deeper = tree.enter(known, Step::Code(3, 0));
        assert_eq!(tree.step(deeper), Step::Rest);
        assert_eq!(tree.enter(deeper, Step::Code(4, 0)), deeper);
        assert_eq!(tree.enter(known, Step::Native(7)), deeper);
        assert_eq!(tree.enter(main, Step::Code(2, 0)), known, "what was known is still found");
        for function in 10..100 {
            tree.enter(main, Step::Code(function, 0));
            tree.enter(CallTree::ROOT, Step::Code(function, 0));
        }
        assert_eq!(tree.nodes.len(), 6, "at most one more for each node");
    }
}
