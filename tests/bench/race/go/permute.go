// Permutations by swapping; the same as tests/bench/programs/permute.ten.
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

type Permute struct {
	count int
	v     []int
}

func (p *Permute) swap(i, j int) {
	p.v[i], p.v[j] = p.v[j], p.v[i]
}

func (p *Permute) permute(n int) {
	p.count++
	if n != 0 {
		n1 := n - 1
		p.permute(n1)
		for i := n1; i >= 0; i-- {
			p.swap(n1, i)
			p.permute(n1)
			p.swap(n1, i)
		}
	}
}

func main() {
	result := 0
	for rounds := argument(10); rounds > 0; rounds-- {
		p := &Permute{v: []int{0, 1, 2, 3, 4, 5}}
		p.permute(6)
		result = p.count
	}
	fmt.Println(result)
}
