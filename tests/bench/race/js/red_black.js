// The ordered map of the collision detector; the same as tests/bench/programs/red_black.ten.
'use strict';

class Node {
  constructor(key, value, parent) {
    this.key = key;
    this.value = value;
    this.parent = parent;
    this.left = null;
    this.right = null;
    this.red = true;
  }

  successor() {
    if (this.right !== null) return this.right.least();
    let child = this;
    for (let parent = child.parent; parent !== null; parent = child.parent) {
      if (parent.left === child) return parent;
      child = parent;
    }
    return null;
  }

  least() {
    let node = this;
    while (node.left !== null) node = node.left;
    return node;
  }
}

function isBlack(node) {
  return node === null || !node.red;
}

class RedBlackTree {
  constructor() { this.root = null; }

  get(key) {
    const node = this.find(key);
    return node === null ? null : node.value;
  }

  each(f) {
    if (this.root === null) return;
    for (let node = this.root.least(); node !== null; node = node.successor()) f(node.key, node.value);
  }

  put(key, value) {
    let parent = null;
    let at = this.root;
    let order = 0;
    while (at !== null) {
      order = key.compare(at.key);
      if (order === 0) {
        const old = at.value;
        at.value = value;
        return old;
      }
      parent = at;
      at = order < 0 ? at.left : at.right;
    }
    const node = new Node(key, value, parent);
    if (parent === null) this.root = node;
    else if (order < 0) parent.left = node;
    else parent.right = node;
    this.balancePut(node);
    return null;
  }

  remove(key) {
    const z = this.find(key);
    if (z === null) return null;
    const y = z.left === null || z.right === null ? z : z.successor();
    const x = y.left !== null ? y.left : y.right;
    const xParent = y.parent;
    if (x !== null) x.parent = xParent;
    this.replace(y, x);
    if (y !== z) {
      if (!y.red) this.balanceRemove(x, xParent);
      y.parent = z.parent;
      y.red = z.red;
      y.left = z.left;
      y.right = z.right;
      if (z.left !== null) z.left.parent = y;
      if (z.right !== null) z.right.parent = y;
      this.replace(z, y);
    } else if (!y.red) {
      this.balanceRemove(x, xParent);
    }
    return z.value;
  }

  find(key) {
    let at = this.root;
    while (at !== null) {
      const order = key.compare(at.key);
      if (order === 0) return at;
      at = order < 0 ? at.left : at.right;
    }
    return null;
  }

  replace(old, node) {
    const parent = old.parent;
    if (parent === null) this.root = node;
    else if (parent.left === old) parent.left = node;
    else parent.right = node;
  }

  rotateLeft(x) {
    const y = x.right;
    x.right = y.left;
    if (y.left !== null) y.left.parent = x;
    y.parent = x.parent;
    this.replace(x, y);
    y.left = x;
    x.parent = y;
  }

  rotateRight(y) {
    const x = y.left;
    y.left = x.right;
    if (x.right !== null) x.right.parent = y;
    x.parent = y.parent;
    this.replace(y, x);
    x.right = y;
    y.parent = x;
  }

  balancePut(added) {
    let x = added;
    while (x.parent !== null && x.parent.red) {
      const parent = x.parent;
      const grandparent = parent.parent;
      if (grandparent.left === parent) {
        const uncle = grandparent.right;
        if (uncle !== null && uncle.red) {
          parent.red = false;
          uncle.red = false;
          grandparent.red = true;
          x = grandparent;
        } else {
          if (parent.right === x) {
            x = parent;
            this.rotateLeft(x);
          }
          x.parent.red = false;
          grandparent.red = true;
          this.rotateRight(grandparent);
        }
      } else {
        const uncle = grandparent.left;
        if (uncle !== null && uncle.red) {
          parent.red = false;
          uncle.red = false;
          grandparent.red = true;
          x = grandparent;
        } else {
          if (parent.left === x) {
            x = parent;
            this.rotateRight(x);
          }
          x.parent.red = false;
          grandparent.red = true;
          this.rotateLeft(grandparent);
        }
      }
    }
    this.root.red = false;
  }

  balanceRemove(start, startParent) {
    let x = start;
    let parent = startParent;
    while (x !== this.root && isBlack(x)) {
      if (parent.left === x) {
        let sibling = parent.right;
        if (sibling.red) {
          sibling.red = false;
          parent.red = true;
          this.rotateLeft(parent);
          sibling = parent.right;
        }
        if (isBlack(sibling.left) && isBlack(sibling.right)) {
          sibling.red = true;
          x = parent;
          parent = parent.parent;
        } else {
          if (isBlack(sibling.right)) {
            sibling.left.red = false;
            sibling.red = true;
            this.rotateRight(sibling);
            sibling = parent.right;
          }
          sibling.red = parent.red;
          parent.red = false;
          if (sibling.right !== null) sibling.right.red = false;
          this.rotateLeft(parent);
          x = this.root;
          parent = null;
        }
      } else {
        let sibling = parent.left;
        if (sibling.red) {
          sibling.red = false;
          parent.red = true;
          this.rotateRight(parent);
          sibling = parent.left;
        }
        if (isBlack(sibling.right) && isBlack(sibling.left)) {
          sibling.red = true;
          x = parent;
          parent = parent.parent;
        } else {
          if (isBlack(sibling.left)) {
            sibling.right.red = false;
            sibling.red = true;
            this.rotateLeft(sibling);
            sibling = parent.left;
          }
          sibling.red = parent.red;
          parent.red = false;
          if (sibling.left !== null) sibling.left.red = false;
          this.rotateRight(parent);
          x = this.root;
          parent = null;
        }
      }
    }
    if (x !== null) x.red = false;
  }
}

module.exports = { RedBlackTree };
