// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"syscall"
	"time"
	"unsafe"
)

const threadCPUTime = 3 // CLOCK_THREAD_CPUTIME_ID

func cpuTime() time.Duration {
	var now syscall.Timespec

	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, threadCPUTime,
		uintptr(unsafe.Pointer(&now)), 0)
	return time.Duration(now.Nano())
}

// burn uses CPU time, as /burn of the demo does. The goroutine may be moved
// to another thread between two looks at the clock, whose time is another:
// such a step is not counted.
func burn(goal time.Duration) {
	last := cpuTime()
	for done := time.Duration(0); done < goal; {
		now := cpuTime()
		if step := now - last; step > 0 && step < time.Millisecond {
			done += step
		}
		last = now
	}
}
