// Flips of permutations; the same as tests/bench/programs/fannkuch_redux.ten.
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

func fannkuch(n int) (checksum, most int) {
	first := make([]int, n)
	work := make([]int, n)
	count := make([]int, n)
	for i := range first {
		first[i] = i
	}
	r := n
	for rounds := 0; ; rounds++ {
		for ; r > 1; r-- {
			count[r-1] = r
		}
		copy(work, first)
		flips := 0
		for k := work[0]; k != 0; k = work[0] {
			for low, high := 0, k; low < high; low, high = low+1, high-1 {
				work[low], work[high] = work[high], work[low]
			}
			flips++
		}
		if flips > most {
			most = flips
		}
		if rounds&1 == 0 {
			checksum += flips
		} else {
			checksum -= flips
		}
		for {
			if r == n {
				return
			}
			head := first[0]
			copy(first, first[1:r+1])
			first[r] = head
			count[r]--
			if count[r] > 0 {
				break
			}
			r++
		}
	}
}

func main() {
	n := argument(9)
	checksum, most := fannkuch(n)
	fmt.Printf("%d\nPfannkuchen(%d) = %d\n", checksum, n, most)
}
