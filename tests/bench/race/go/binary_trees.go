// Binary trees; the same as tests/bench/programs/binary_trees.ten.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func argument(otherwise int) int {
	if len(os.Args) < 2 {
		return otherwise
	}
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	return n
}

type Tree struct {
	left, right *Tree
}

func build(depth int) *Tree {
	if depth == 0 {
		return &Tree{}
	}
	return &Tree{build(depth - 1), build(depth - 1)}
}

func (t *Tree) count() int {
	if t.left == nil {
		return 1
	}
	return 1 + t.left.count() + t.right.count()
}

func main() {
	n := argument(10)
	least := 4
	most := n
	if most < least+2 {
		most = least + 2
	}
	stretch := most + 1
	fmt.Printf("stretch tree of depth %d\t check: %d\n", stretch, build(stretch).count())
	longLived := build(most)
	for depth := least; depth <= most; depth += 2 {
		rounds := 1 << (most - depth + least)
		check := 0
		for i := 0; i < rounds; i++ {
			check += build(depth).count()
		}
		fmt.Printf("%d\t trees of depth %d\t check: %d\n", rounds, depth, check)
	}
	fmt.Printf("long lived tree of depth %d\t check: %d\n", most, longLived.count())
}
