// S3bench measures the emulator's S3 face beside versitygw, a well-known server
// that keeps objects in files: each as a process of its own over loopback, in
// memory (for versitygw a folder in /dev/shm) and on disk. Rounds alternate, and
// the table has their medians. It is a module of its own, run by hand:
//
//	GOBIN=/tmp go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
//	go build -o /tmp/b2form ./cmd/b2form
//	go run -C internal/bench/s3 . -b2form /tmp/b2form -versitygw /tmp/versitygw
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"time"
)

type settings struct {
	b2form, versitygw, diskDir               string
	rounds, smallObjectCount, largeObjectMiB int
	listedObjectCount                        int
}

func main() {
	var s settings
	flag.StringVar(&s.b2form, "b2form", "b2form", "the program b2form")
	flag.StringVar(&s.versitygw, "versitygw", "versitygw", "the program versitygw")
	flag.StringVar(&s.diskDir, "disk", os.TempDir(), "a folder on a disk")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds, of which the median counts")
	flag.IntVar(&s.smallObjectCount, "objects", 4000, "small objects of a round")
	flag.IntVar(&s.largeObjectMiB, "large", 256, "MiB of the large object")
	flag.IntVar(&s.listedObjectCount, "listed", 100_000, "objects in the bucket that is listed")
	flag.Parse()
	fmt.Println("| | emulator | processor, s | versitygw | processor, s | times as fast |\n|---|---|---|---|---|---|")
	for _, where := range []string{"memory", "disk"} {
		measureAndPrint(s, where)
	}
}

// measureAndPrint prints the medians of all measurements in one place.
func measureAndPrint(s settings, storage string) {
	servers := []*server{startB2form(s, storage), startVersitygw(s, storage)}
	for _, srv := range servers {
		defer srv.stop()
		srv.putListedObjects(s.listedObjectCount)
	}
	for _, m := range []rateBenchmark{
		{"put 1 KiB", "objects/s", putSmall}, {"get 1 KiB", "objects/s", getSmall},
		{"put one large object", "MB/s", putLarge}, {"get it", "MB/s", getLarge},
		{"list all objects", "objects/s", listAll},
	} {
		results, busy := make([][]float64, len(servers)), make([][]float64, len(servers))
		for round := range s.rounds {
			for n := range servers {
				i := (n + round) % len(servers) // neither is always the first
				before := servers[i].processorSeconds()
				results[i] = append(results[i], m.do(servers[i], s, round))
				busy[i] = append(busy[i], servers[i].processorSeconds()-before)
			}
		}
		row := fmt.Sprintf("| %s, %s, %s |", m.name, storage, m.unit)
		for i, r := range results {
			slices.Sort(r)
			slices.Sort(busy[i])
			row += fmt.Sprintf(" %.0f (%.0f to %.0f) | %.2f |", median(r), r[0], r[len(r)-1], median(busy[i]))
		}
		fmt.Printf("%s %.2g |\n", row, median(results[0])/median(results[1]))
	}
}

// A rateBenchmark gives how much a second a server does in a round.
type rateBenchmark struct {
	name, unit string
	do         func(srv *server, s settings, round int) (ratePerSecond float64)
}

func median(sorted []float64) float64 { return sorted[len(sorted)/2] }

const clients = 16

func putSmall(srv *server, s settings, round int) (objectsPerSecond float64) {
	content := bytes.Repeat([]byte("x"), 1024)
	return runConcurrently(s.smallObjectCount, func(n int) { srv.mustSend("PUT", fmt.Sprintf("/small/%d/%d", round, n), content) })
}

func getSmall(srv *server, s settings, round int) (objectsPerSecond float64) {
	return runConcurrently(s.smallObjectCount, func(n int) { srv.mustSend("GET", fmt.Sprintf("/small/%d/%d", round, n), nil) })
}

// putLarge puts another object each time, which both servers keep.
func putLarge(srv *server, s settings, round int) (megabytesPerSecond float64) {
	content := bytes.Repeat([]byte("0123456789abcdef"), s.largeObjectMiB<<16)
	r := srv.request("PUT", fmt.Sprintf("/large/%d", round), nil, content)
	start := time.Now()
	srv.drain(srv.do(r))
	return float64(len(content)) / 1e6 / time.Since(start).Seconds()
}

func getLarge(srv *server, s settings, round int) (megabytesPerSecond float64) {
	start := time.Now()
	n := srv.mustSend("GET", fmt.Sprintf("/large/%d", round), nil)
	return float64(n) / 1e6 / time.Since(start).Seconds()
}

func listAll(srv *server, s settings, round int) (objectsPerSecond float64) {
	start := time.Now()
	if n := srv.countByListing(); n != s.listedObjectCount {
		log.Fatalf("%s lists %d objects", srv.name, n)
	}
	return float64(s.listedObjectCount) / time.Since(start).Seconds()
}

// runConcurrently lets clients do something n times and gives how often they did it a
// second.
func runConcurrently(n int, do func(n int)) (callsPerSecond float64) {
	numbers := make(chan int, n)
	for i := range n {
		numbers <- i
	}
	close(numbers)
	start := time.Now()
	done := make(chan bool)
	for range clients {
		go func() {
			for i := range numbers {
				do(i)
			}
			done <- true
		}()
	}
	for range clients {
		<-done
	}
	return float64(n) / time.Since(start).Seconds()
}
