// Random DNA in FASTA format; the same as tests/bench/programs/fasta.ten.
package main

import (
	"bufio"
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

const (
	lineLength = 60
	modulus    = 139968
	alu        = "GGCCGGGCGCGGTGGCTCACGCCTGTAATCCCAGCACTTTGG" +
		"GAGGCCGAGGCGGGCGGATCACCTGAGGTCAGGAGTTCGAGA" +
		"CCAGCCTGGCCAACATGGTGAAACCCCGTCTCTACTAAAAAT" +
		"ACAAAAATTAGCCGGGCGTGGTGGCGCGCGCCTGTAATCCCA" +
		"GCTACTCGGGAGGCTGAGGCAGGAGAATCGCTTGAACCCGGG" +
		"AGGCGGAGGTTGCAGTGAGCCGAGATCGCGCCACTGCACTCC" +
		"AGCCTGGGCGACAGAGCGAGACTCCGTCTCAAAAA"
)

type Letter struct {
	code        byte
	probability float64
}

func letters(codes string, probabilities []float64) []Letter {
	list := make([]Letter, len(probabilities))
	sum := 0.0
	for i, probability := range probabilities {
		sum += probability
		list[i] = Letter{codes[i], sum}
	}
	return list
}

var seed = 42

func random() float64 {
	seed = (seed*3877 + 29573) % modulus
	return float64(seed) / modulus
}

func pick(list []Letter) byte {
	r := random()
	for i := range list {
		if r < list[i].probability {
			return list[i].code
		}
	}
	return list[len(list)-1].code
}

func width(left int) int {
	if left < lineLength {
		return left
	}
	return lineLength
}

func repeatFasta(out *bufio.Writer, text string, n int) {
	twice := text + text[:lineLength]
	at := 0
	for left := n; left > 0; left -= lineLength {
		w := width(left)
		out.WriteString(twice[at : at+w])
		out.WriteByte('\n')
		at = (at + w) % len(text)
	}
}

func randomFasta(out *bufio.Writer, list []Letter, n int) {
	line := make([]byte, lineLength+1)
	for left := n; left > 0; left -= lineLength {
		w := width(left)
		for i := 0; i < w; i++ {
			line[i] = pick(list)
		}
		line[w] = '\n'
		out.Write(line[:w+1])
	}
}

func main() {
	n := argument(1000)
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	defer out.Flush()
	fmt.Fprintln(out, ">ONE Homo sapiens alu")
	repeatFasta(out, alu, 2*n)
	fmt.Fprintln(out, ">TWO IUB ambiguity codes")
	ambiguous := []float64{0.27, 0.12, 0.12, 0.27, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02}
	randomFasta(out, letters("acgtBDHKMNRSVWY", ambiguous), 3*n)
	fmt.Fprintln(out, ">THREE Homo sapiens frequency")
	sapiens := []float64{0.3029549426680, 0.1979883004921, 0.1975473066391, 0.3015094502008}
	randomFasta(out, letters("acgt", sapiens), 5*n)
}
