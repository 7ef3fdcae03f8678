package doctor

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const proc = "/proc"

// processes reads which programs in our network listen, and which are Erlang nodes, as far
// as this user may see them: all for root, its own for others.
func processes() ([]Process, error) {
	network, err := os.Readlink(proc + "/self/ns/net")
	if err != nil {
		return nil, err
	}
	sockets := make(map[string]netip.AddrPort) // by inode
	for _, table := range []string{"tcp", "tcp6"} {
		b, err := os.ReadFile(proc + "/self/net/" + table)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a system without IPv6 has no such table
		}
		if err != nil {
			return nil, err
		}
		if err := listeners(string(b), sockets); err != nil {
			return nil, err
		}
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
		if theirs, err := os.Readlink(dir + "/ns/net"); err != nil || theirs != network {
			continue // not for us to see, or gone, or in a container
		}
		if p := process(dir, sockets); p.Node != "" || len(p.Listens) > 0 {
			p.PID = pid
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
	if err != nil {
		return p
	}
	args := strings.Split(strings.TrimRight(string(cmdline), "\x00"), "\x00")
	p.Program = filepath.Base(args[0])
	if isBeam(p.Program) {
		p.Node = nodeArgs(args)
		environ, err := os.ReadFile(dir + "/environ")
		if err == nil {
			for _, v := range strings.Split(string(environ), "\x00") {
				if port, ok := strings.CutPrefix(v, "ERL_EPMD_PORT="); ok {
					p.EPMDPort = port
				}
			}
		}
	}
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

// listeners reads the listening sockets of a table of /proc/net by their inodes.
func listeners(table string, sockets map[string]netip.AddrPort) error {
	const (
		local, status, inode = 1, 3, 9 // columns
		listening            = "0A"
	)
	for i, line := range strings.Split(strings.TrimSpace(table), "\n") {
		f := strings.Fields(line)
		if i == 0 || len(f) <= inode || f[status] != listening {
			continue // the title, or not a listener
		}
		at, err := kernelAddr(f[local])
		if err != nil {
			return fmt.Errorf("a line of /proc/net: %w", err)
		}
		sockets[f[inode]] = at
	}
	return nil
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
	return netip.AddrPortFrom(ip, uint16(n)), nil
}
