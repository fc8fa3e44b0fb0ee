// Takeuchi's function on linked lists; the same as tests/bench/programs/list.ten.
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

type Element struct {
	value int
	next  *Element
}

func makeList(length int) *Element {
	if length == 0 {
		return nil
	}
	return &Element{length, makeList(length - 1)}
}

func isShorterThan(x, y *Element) bool {
	for y != nil {
		if x == nil {
			return true
		}
		x, y = x.next, y.next
	}
	return false
}

func tail(x, y, z *Element) *Element {
	if isShorterThan(y, x) {
		return tail(tail(x.next, y, z), tail(y.next, z, x), tail(z.next, x, y))
	}
	return z
}

func length(list *Element) int {
	n := 0
	for ; list != nil; list = list.next {
		n++
	}
	return n
}

func main() {
	result := 0
	for rounds := argument(10); rounds > 0; rounds-- {
		result = length(tail(makeList(15), makeList(10), makeList(6)))
	}
	fmt.Println(result)
}
