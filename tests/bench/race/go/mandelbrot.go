// The Mandelbrot set, its checksum; the same as tests/bench/programs/mandelbrot.ten.
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

func mandelbrot(size int) int {
	sum, byteAcc, bitNum := 0, 0, 0
	for y := 0; y < size; y++ {
		ci := 2*float64(y)/float64(size) - 1
		for x := 0; x < size; x++ {
			cr := 2*float64(x)/float64(size) - 1.5
			zrzr, zi, zizi := 0.0, 0.0, 0.0
			escape := 0
			for z := 0; z < 50; z++ {
				zr := zrzr - zizi + cr
				zi = 2*zr*zi + ci
				zrzr = zr * zr
				zizi = zi * zi
				if zrzr+zizi > 4 {
					escape = 1
					break
				}
			}
			byteAcc = byteAcc<<1 + escape
			bitNum++
			if bitNum == 8 {
				sum ^= byteAcc
				byteAcc, bitNum = 0, 0
			} else if x == size-1 {
				sum ^= byteAcc << (8 - bitNum)
				byteAcc, bitNum = 0, 0
			}
		}
	}
	return sum
}

func main() {
	fmt.Println(mandelbrot(argument(500)))
}
