package host

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/fuzz/machine"
	"github.com/goepmd/goepmd/wire"
)

// maxChunk is the most bytes that the module gives for a chunk. No session looks
// at more.
const maxChunk = 1 << 16

// Daemon is one daemon in a module. Its methods are those of machine.Machine, and
// fail with the same errors, or with one that says how the module crashed.
type Daemon struct {
	module *Module
	id     int32
}

var _ machine.Daemon = (*Daemon)(nil)

// Start starts a daemon in the module.
func (m *Module) Start(o machine.Options) (machine.Daemon, error) {
	var flags int32
	if o.Relaxed {
		flags |= 1
	}
	if o.TimeoutRestarts {
		flags |= 2
	}
	if o.MultiTransport {
		flags |= 4
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	id, err := m.check("epmd_daemon_new", uint64(o.Port), api.EncodeI32(flags),
		api.EncodeI32(o.PacketTimeout), api.EncodeI32(o.Remember), api.EncodeI64(o.Now))
	if err != nil {
		return nil, err
	}
	return &Daemon{m, id}, nil
}

// call calls a function about this daemon; the lock is held.
func (d *Daemon) call(name string, args ...uint64) (int32, error) {
	return d.module.check(name, append([]uint64{api.EncodeI32(d.id)}, args...)...)
}

// Open is machine.Machine.Open.
func (d *Daemon) Open(local bool) (machine.ConnID, error) {
	d.module.mu.Lock()
	defer d.module.mu.Unlock()
	var peer uint64
	if local {
		peer = 1
	}
	id, err := d.call("epmd_open", peer)
	if err != nil {
		return 0, err
	}
	return machine.ConnID(id), nil
}

// Want is machine.Machine.Want.
func (d *Daemon) Want(c machine.ConnID) (int, error) {
	d.module.mu.Lock()
	defer d.module.mu.Unlock()
	n, err := d.call("epmd_want", uint64(c))
	if err != nil {
		return 0, err
	}
	return int(n), nil
}

// Feed is machine.Machine.Feed.
func (d *Daemon) Feed(c machine.ConnID, chunk []byte) (res machine.Result, err error) {
	d.module.mu.Lock()
	defer d.module.mu.Unlock()
	chunk = chunk[:min(len(chunk), maxChunk)]
	at, err := d.module.copyIn(chunk)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, d.module.free(at)) }()
	verdict, err := d.call("epmd_feed", uint64(c), uint64(at), uint64(len(chunk)))
	if err != nil {
		return res, err
	}
	out, err := d.result()
	if err != nil {
		return res, err
	}
	if int32(out.verdict) != verdict {
		return res, fmt.Errorf("verdict %d was returned, but the result says %d", verdict, out.verdict)
	}
	return machine.Result{
		Verdict: session.Verdict(out.verdict),
		Used:    int(out.used),
		Tag:     wire.Tag(out.tag),
		Reply:   out.data,
		Error:   string(out.error),
		Evicted: out.ids,
	}, nil
}

// End is machine.Machine.End.
func (d *Daemon) End(c machine.ConnID) error {
	d.module.mu.Lock()
	defer d.module.mu.Unlock()
	_, err := d.call("epmd_end", uint64(c))
	return err
}

// Advance is machine.Machine.Advance.
func (d *Daemon) Advance(ms int64) ([]machine.ConnID, error) {
	d.module.mu.Lock()
	defer d.module.mu.Unlock()
	n, err := d.call("epmd_advance", api.EncodeI64(ms))
	if err != nil {
		return nil, err
	}
	out, err := d.result()
	if err == nil && len(out.ids) != int(n) {
		err = fmt.Errorf("%d connections were returned, but the result has %d", n, len(out.ids))
	}
	return out.ids, err
}

// State is machine.Machine.State.
func (d *Daemon) State() (s machine.State, err error) {
	d.module.mu.Lock()
	defer d.module.mu.Unlock()
	n, err := d.call("epmd_state")
	if err != nil {
		return s, err
	}
	out, err := d.result()
	if err != nil {
		return s, err
	}
	if len(out.data) != int(n) {
		return s, fmt.Errorf("a state of %d bytes was returned, but the result has %d", n, len(out.data))
	}
	return s, json.Unmarshal(out.data, &s)
}

// Close frees the daemon. Its other methods fail with StatusDaemon after it, and so
// does closing again.
func (d *Daemon) Close() error {
	d.module.mu.Lock()
	defer d.module.mu.Unlock()
	_, err := d.call("epmd_daemon_delete")
	return err
}

// result is what the module keeps of the last call, copied.
type result struct {
	verdict, used, tag uint32
	data, error        []byte // nil if empty
	ids                []machine.ConnID
}

// result reads the record of epmd_result.
func (d *Daemon) result() (r result, err error) {
	at, err := d.module.call("epmd_result", api.EncodeI32(d.id))
	if err != nil {
		return r, err
	}
	b, err := d.module.copyOut(uint32(at), 9*4)
	if err != nil {
		return r, err
	}
	var n [9]uint32
	for i := range n {
		n[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	r.verdict, r.used, r.tag = n[0], n[1], n[2]
	if r.data, err = d.module.copyOut(n[3], n[4]); err != nil {
		return r, err
	}
	if r.error, err = d.module.copyOut(n[5], n[6]); err != nil {
		return r, err
	}
	ids, err := d.module.copyOut(n[7], 4*n[8])
	for ; len(ids) > 0; ids = ids[4:] {
		r.ids = append(r.ids, machine.ConnID(binary.LittleEndian.Uint32(ids)))
	}
	return r, err
}
