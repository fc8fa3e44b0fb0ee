// The spectral norm; the same as tests/bench/programs/spectral_norm.ten.
package main

import (
	"fmt"
	"math"
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

func a(i, j int) float64 {
	return 1 / float64((i+j)*(i+j+1)/2+i+1)
}

func multiply(v, result []float64) {
	for i := range result {
		sum := 0.0
		for j, x := range v {
			sum += a(i, j) * x
		}
		result[i] = sum
	}
}

func multiplyTransposed(v, result []float64) {
	for i := range result {
		sum := 0.0
		for j, x := range v {
			sum += a(j, i) * x
		}
		result[i] = sum
	}
}

func multiplyBoth(v, result, between []float64) {
	multiply(v, between)
	multiplyTransposed(between, result)
}

func main() {
	n := argument(100)
	u := make([]float64, n)
	v := make([]float64, n)
	between := make([]float64, n)
	for i := range u {
		u[i] = 1
	}
	for i := 0; i < 10; i++ {
		multiplyBoth(u, v, between)
		multiplyBoth(v, u, between)
	}
	vbv, vv := 0.0, 0.0
	for i := range u {
		vbv += u[i] * v[i]
		vv += v[i] * v[i]
	}
	fmt.Printf("%.9f\n", math.Sqrt(vbv/vv))
}
