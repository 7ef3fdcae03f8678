package doctor

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const proc = "/proc"

// processes reads which programs in our network listen, and which are Erlang nodes or
// EPMDs, as far as this user may see them: all for root, its own for others, and of the
// rest the command lines.
func processes() ([]Process, error) {
	network, err := os.Readlink(proc + "/self/ns/net")
	if err != nil {
		return nil, err
	}
	_, sockets, err := sockets()
	if err != nil {
		return nil, err
	}
	dirs, err := os.ReadDir(proc)
	if err != nil {
		return nil, err
	}
	var all []Process
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue // no process
		}
		dir := filepath.Join(proc, d.Name())
		theirs, err := os.Readlink(dir + "/ns/net")
		switch {
		case errors.Is(err, fs.ErrPermission):
		case err != nil || theirs != network:
			continue // gone, or in a container
		}
		p := process(dir, sockets)
		p.PID, p.Hidden = pid, err != nil
		if p.isBeam() || p.isEPMD() || len(p.Listens) > 0 {
			all = append(all, p)
		}
	}
	return all, nil
}

// process reads a folder of /proc. A process may end while it is read: what cannot be
// read any more is left out.
func process(dir string, sockets map[string]netip.AddrPort) Process {
	var p Process
	cmdline, err := os.ReadFile(dir + "/cmdline")
	if err != nil || len(cmdline) == 0 {
		return p // ended, or of the kernel's own
	}
	p.read(strings.Split(strings.TrimRight(string(cmdline), "\x00"), "\x00"), func() map[string]string { return environ(dir) })
	fds, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return p
	}
	for _, fd := range fds {
		link, err := os.Readlink(filepath.Join(dir, "fd", fd.Name()))
		inode, ok := strings.CutPrefix(link, "socket:[")
		if err != nil || !ok {
			continue
		}
		if at, ok := sockets[strings.TrimSuffix(inode, "]")]; ok {
			p.Listens = append(p.Listens, at)
		}
	}
	return p
}

// environ reads the environment of a process, as far as this user may.
func environ(dir string) map[string]string {
	env := make(map[string]string)
	b, err := os.ReadFile(dir + "/environ")
	if err != nil {
		return env
	}
	for v := range strings.SplitSeq(string(b), "\x00") {
		if name, value, ok := strings.Cut(v, "="); ok {
			env[name] = value
		}
	}
	return env
}

// listeners reads the sockets of our network that take connections.
func listeners() ([]Listener, error) {
	all, _, err := sockets()
	return all, err
}

// sockets are those that take connections, also by their inodes.
func sockets() ([]Listener, map[string]netip.AddrPort, error) {
	var all []Listener
	inodes := make(map[string]netip.AddrPort)
	for _, table := range []string{"tcp", "tcp6"} {
		f, err := os.Open(proc + "/self/net/" + table)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a system without IPv6 has no such table
		}
		if err != nil {
			return nil, nil, err
		}
		err = readTable(f, &all, inodes)
		_ = f.Close() // it was read
		if err != nil {
			return nil, nil, fmt.Errorf("%s/net/%s: %w", proc, table, err)
		}
	}
	return all, inodes, nil
}

// readTable reads the listening sockets of a table of /proc/net. The kernel tells them
// first; of connections there may be very many.
func readTable(table io.Reader, all *[]Listener, inodes map[string]netip.AddrPort) error {
	const (
		local, status, queues, inode = 1, 3, 4, 9 // columns
		listening                    = "0A"
	)
	lines := bufio.NewScanner(table)
	for title := true; lines.Scan(); title = false {
		f := strings.Fields(lines.Text())
		if title {
			continue
		}
		if len(f) <= inode || f[status] != listening {
			break
		}
		at, err := kernelAddr(f[local])
		if err != nil {
			return err
		}
		_, queue, _ := strings.Cut(f[queues], ":")
		waiting, err := strconv.ParseInt(queue, 16, 32)
		if err != nil {
			return err
		}
		*all = append(*all, Listener{At: at, Waiting: int(waiting)})
		inodes[f[inode]] = at
	}
	return lines.Err()
}

// kernelAddr reads "0100007F:1111": words of the address in the machine's order of bytes,
// and the port.
func kernelAddr(s string) (netip.AddrPort, error) {
	addr, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for w := b; len(w) >= 4; w = w[4:] {
		binary.NativeEndian.PutUint32(w, binary.BigEndian.Uint32(w))
	}
	ip, ok := netip.AddrFromSlice(b)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("%q is no address", addr)
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(n)), nil
}

// neighbours asks the system which addresses of its networks were found.
func neighbours() ([]Neighbour, error) {
	const (
		header, stateAt      = 12, 8 // of a message: its fixed part, and the state in that
		attribute, dst       = 4, 1  // of an attribute: its head, and the kind that is an address
		incomplete, failed   = 0x01, 0x20
		reached, stale, some = 0x02, 0x04, 0x08 | 0x10 // some: it is asked anew, having been there
	)
	b, err := syscall.NetlinkRIB(syscall.RTM_GETNEIGH, syscall.AF_UNSPEC)
	if err != nil {
		return nil, err
	}
	messages, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return nil, err
	}
	var all []Neighbour
	for _, m := range messages {
		if m.Header.Type != syscall.RTM_NEWNEIGH || len(m.Data) < header {
			continue
		}
		state := binary.NativeEndian.Uint16(m.Data[stateAt:])
		if state&(incomplete|failed|reached|stale|some) == 0 {
			continue // it was set by hand, or needs no asking
		}
		for a := m.Data[header:]; len(a) >= attribute; {
			length := int(binary.NativeEndian.Uint16(a))
			if length < attribute || length > len(a) {
				break
			}
			if ip, ok := netip.AddrFromSlice(a[attribute:length]); ok && binary.NativeEndian.Uint16(a[2:]) == dst {
				all = append(all, Neighbour{Addr: ip, Present: state&(incomplete|failed) == 0})
			}
			a = a[min((length+attribute-1)&^(attribute-1), len(a)):]
		}
	}
	return all, nil
}
