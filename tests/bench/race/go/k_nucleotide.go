// Counts of the parts of a DNA sequence; the same as tests/bench/programs/k_nucleotide.ten.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"sort"
	"strings"
)

func readSequence(name string) string {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() && !strings.HasPrefix(in.Text(), name) {
	}
	var sequence []byte
	for in.Scan() {
		line := in.Bytes()
		if len(line) > 0 && line[0] == '>' {
			break
		}
		sequence = append(sequence, line...)
	}
	return string(bytes.ToUpper(sequence))
}

func count(sequence string, length int) map[string]*int {
	counts := make(map[string]*int)
	for i := 0; i+length <= len(sequence); i++ {
		part := sequence[i : i+length]
		if n := counts[part]; n != nil {
			*n++
		} else {
			one := 1
			counts[part] = &one
		}
	}
	return counts
}

func printFrequencies(sequence string, length int) {
	counts := count(sequence, length)
	parts := make([]string, 0, len(counts))
	for part := range counts {
		parts = append(parts, part)
	}
	sort.Slice(parts, func(i, j int) bool {
		m, n := *counts[parts[i]], *counts[parts[j]]
		if m != n {
			return m > n
		}
		return parts[i] < parts[j]
	})
	total := float64(len(sequence) - length + 1)
	for _, part := range parts {
		fmt.Printf("%s %.3f\n", part, float64(*counts[part])*100/total)
	}
	fmt.Println()
}

func main() {
	sequence := readSequence(">THREE")
	printFrequencies(sequence, 1)
	printFrequencies(sequence, 2)
	for _, part := range []string{"GGT", "GGTA", "GGTATT", "GGTATTTTAATT", "GGTATTTTAATTTATAGT"} {
		n := 0
		if found := count(sequence, len(part))[part]; found != nil {
			n = *found
		}
		fmt.Printf("%d\t%s\n", n, part)
	}
}
