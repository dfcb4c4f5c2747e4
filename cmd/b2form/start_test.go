package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// What packages prepare before main delays every start, also that of a command which
// needs nothing of it. Go tells what they take, the same on any machine however busy.
func TestPackagesPrepareLittle(t *testing.T) {
	c := exec.Command("b2form", "version")
	c.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	c.Stderr = &trace
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	packages, bytesOfAll, allocsOfAll := 0, 0, 0
	for s := bufio.NewScanner(&trace); s.Scan(); {
		var name string
		var at, took float64
		var size, allocs int
		if _, err := fmt.Sscanf(s.Text(), "init %s @%f ms, %f ms clock, %d bytes, %d allocs", &name, &at, &took, &size,
			&allocs); err != nil || !strings.HasPrefix(name, "b2form/") {
			continue
		}
		packages, bytesOfAll, allocsOfAll = packages+1, bytesOfAll+size, allocsOfAll+allocs
		if size > 64<<10 || allocs > 600 {
			t.Errorf("package %s takes %d bytes and %d allocations before main: prepare it when it is needed", name, size, allocs)
		}
	}
	if packages < 10 || bytesOfAll > 200<<10 || allocsOfAll > 2000 {
		t.Errorf("%d packages of ours take %d bytes and %d allocations before main", packages, bytesOfAll, allocsOfAll)
	}
}
