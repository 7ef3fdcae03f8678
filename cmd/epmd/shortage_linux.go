package main

import (
	"syscall"
	"unsafe"
)

// shortages are what Go's runtime begins to print where it ends the program for want of
// something of the system's, at its start or later, and what the user is told instead. The
// numbers are measured; tests hold them.
var shortages = [...]struct{ begins, sentence string }{
	{"runtime: failed to create new OS thread", tooFewThreads},
	{"runtime: out of memory", tooLittleMemory},
	{"runtime: cannot allocate memory", tooLittleMemory},
	{"runtime: cannot map pages", tooLittleMemory},
	{"runtime: mmap", tooLittleMemory},
	{"out of memory", tooLittleMemory},
	{"pageAlloc: out of memory", tooLittleMemory},
	{"failed to reserve page summary memory", tooLittleMemory},
	{"failed to allocate aligned heap memory", tooLittleMemory},
	{"runtime: epollcreate failed", tooFewFiles},
	{"runtime: eventfd failed", tooFewFiles},
	{"runtime: standard file descriptor", noStreams},
}

const (
	tooFewThreads = "epmd: the system gives it no more threads: a daemon needs 12, a command 6; " +
		"raise the limit of processes (ulimit -u, LimitNPROC= and TasksMax= of a unit of systemd, --pids-limit of docker)\n"
	tooLittleMemory = "epmd: the system gives it no more memory: it needs 1.5 GiB of address space, of which it uses little; " +
		"raise the limit (ulimit -v, LimitAS= of a unit of systemd), or give the machine more memory\n"
	tooFewFiles = "epmd: too few open files: a daemon needs 18, a command 6; raise the limit (ulimit -n, LimitNOFILE= of a unit of systemd)\n"
	noStreams   = "epmd: there is no /dev/null: start it with standard input, output and error open\n"
)

// overrideWrite is where the runtime writes what it prints itself. It is set by the linker,
// before anything of the program runs: the first thread that cannot be had is often the
// second one.
//
//go:linkname overrideWrite runtime.overrideWrite
var overrideWrite = writeOfRuntime

// fatalError is what the runtime prints before it says why it ends.
const fatalError = "fatal error: "

var fatalHeld bool // fatalError, which is written once what follows it is known to be no shortage

// writeOfRuntime writes what the runtime prints, and ends the program with a sentence where
// that is the beginning of a shortage. It runs on any stack, and must not allocate.
//
//go:nosplit
//go:norace
func writeOfRuntime(fd uintptr, p unsafe.Pointer, n int32) int32 {
	text := unsafe.String((*byte)(p), int(n))
	if text == fatalError {
		fatalHeld = true
		return n
	}
	for i := range shortages {
		s := &shortages[i]
		if len(text) >= len(s.begins) && text[:len(s.begins)] == s.begins {
			writeRaw(2, s.sentence)
			for {
				_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 1, 0, 0) // does not return
			}
		}
	}
	if fatalHeld {
		fatalHeld = false
		writeRaw(fd, fatalError)
	}
	return writeRaw(fd, text)
}

//go:nosplit
//go:norace
func writeRaw(fd uintptr, text string) int32 {
	written, _, err := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.StringData(text))), uintptr(len(text)))
	if err != 0 {
		return -int32(err)
	}
	return int32(written)
}
