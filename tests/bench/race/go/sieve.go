// Sieve of Eratosthenes; the same as tests/bench/programs/sieve.ten.
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

func sieve(flags []bool, size int) int {
	primes := 0
	for i := 2; i <= size; i++ {
		if flags[i-1] {
			primes++
			for k := i + i; k <= size; k += i {
				flags[k-1] = false
			}
		}
	}
	return primes
}

func main() {
	result := 0
	for rounds := argument(10); rounds > 0; rounds-- {
		flags := make([]bool, 5000)
		for i := range flags {
			flags[i] = true
		}
		result = sieve(flags, 5000)
	}
	fmt.Println(result)
}
