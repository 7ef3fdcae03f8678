package sockets

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

const (
	tellsArrived = true
	peek         = windows.MSG_PEEK
)

// receive reads from a socket without waiting; errNothing if nothing has arrived. The
// sockets of Go's net package would wait here, so they are asked first. Nobody else takes
// what has arrived meanwhile: a read that waits takes no bytes.
func receive(fd uintptr, b []byte, flags int) (int, error) {
	if !Readable(int(fd), false) {
		return 0, errNothing
	}
	into := windows.WSABuf{Len: uint32(len(b)), Buf: &b[0]}
	var n uint32
	kind := uint32(flags)
	err := windows.WSARecv(windows.Handle(fd), &into, 1, &n, &kind, nil, nil)
	if err == windows.WSAEWOULDBLOCK {
		return 0, errNothing
	}
	return int(n), err
}

// pollFD and pollIn are WSAPOLLFD and POLLRDNORM of winsock2.h.
type pollFD struct {
	fd              windows.Handle
	events, revents int16
}

const pollIn = 0x100

var wsaPoll = windows.NewLazySystemDLL("ws2_32.dll").NewProc("WSAPoll")

// Readable says whether a socket can be read, or a connection accepted, at once. A call is
// never interrupted here.
func Readable(fd int, _ bool) bool {
	p := pollFD{fd: windows.Handle(fd), events: pollIn}
	n, _, _ := wsaPoll.Call(uintptr(unsafe.Pointer(&p)), 1, 0) // below 0 if it fails
	return int32(n) > 0
}
