// Eight queens; the same as tests/bench/programs/queens.ten.
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

type Queens struct {
	freeRows, freeMaxs, freeMins []bool
	rows                         []int
}

func filled(n int) []bool {
	list := make([]bool, n)
	for i := range list {
		list[i] = true
	}
	return list
}

func newQueens() *Queens {
	rows := make([]int, 8)
	for i := range rows {
		rows[i] = -1
	}
	return &Queens{filled(8), filled(16), filled(16), rows}
}

func (q *Queens) isFree(row, column int) bool {
	return q.freeRows[row] && q.freeMaxs[column+row] && q.freeMins[column-row+7]
}

func (q *Queens) set(row, column int, free bool) {
	q.freeRows[row] = free
	q.freeMaxs[column+row] = free
	q.freeMins[column-row+7] = free
}

func (q *Queens) place(column int) bool {
	for row := 0; row < 8; row++ {
		if q.isFree(row, column) {
			q.rows[row] = column
			q.set(row, column, false)
			if column == 7 || q.place(column+1) {
				return true
			}
			q.set(row, column, true)
		}
	}
	return false
}

func main() {
	result := true
	for rounds := argument(10) * 10; rounds > 0; rounds-- {
		result = result && newQueens().place(0)
	}
	fmt.Println(result)
}
