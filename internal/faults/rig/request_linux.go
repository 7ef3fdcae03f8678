package rig

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/goepmd/goepmd/wire"
)

// Alive is the request that registers a name as nodes of OTP do. It panics on names
// that no request can hold.
func Alive(name string, port uint16) []byte {
	return must(wire.Node{
		Name: name, Port: port, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5,
	}.AppendAlive2Req(nil))
}

// Port is the request that looks up a name.
func Port(name string) []byte {
	return must(wire.PortPlease2Req{Name: []byte(name)}.Append(nil))
}

// Names and Dump are the requests for the lists, Kill the one to end.
func Names() []byte { return must(wire.NamesReq{}.Append(nil)) }
func Dump() []byte  { return must(wire.DumpReq{}.Append(nil)) }
func Kill() []byte  { return must(wire.KillReq{}.Append(nil)) }

// Stop is the request to unregister a name.
func Stop(name string) []byte { return must(wire.StopReq{Name: []byte(name)}.Append(nil)) }

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// Ask sends a request on a connection of its own and reads the answer to its end.
func (d *Dialer) Ask(request []byte) ([]byte, error) {
	c, err := d.Dial()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.Send(request); err != nil {
		return nil, err
	}
	return c.ReceiveAll()
}

// Register registers a name and gives the connection that holds it.
func (d *Dialer) Register(name string, port uint16) (*Conn, error) {
	c, err := d.Dial()
	if err != nil {
		return nil, err
	}
	result, err := c.Register(name, port)
	if err == nil && result != 0 {
		err = fmt.Errorf("%w: registration of %q refused: result %d", ErrWrong, name, result)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Register sends the request on the connection and gives the result byte of the answer.
func (c *Conn) Register(name string, port uint16) (result uint8, err error) {
	if err := c.Send(Alive(name, port)); err != nil {
		return 0, err
	}
	var answer []byte
	for {
		var end error
		answer, end = c.Recv(answer, c.patience)
		r, _, err := wire.ParseAlive2Resp(answer)
		switch {
		case err == nil:
			return r.Result, nil
		case errors.Is(end, io.EOF):
			return 0, ErrClosed
		case end != nil:
			return 0, end
		case !errors.Is(err, wire.FaultIncomplete):
			return 0, fmt.Errorf("%w: %q: %w", ErrWrong, answer, err)
		}
	}
}

// Lookup gives the port of a name; found says whether it is registered.
func (d *Dialer) Lookup(name string) (port uint16, found bool, err error) {
	answer, err := d.Ask(Port(name))
	if err != nil {
		return 0, false, err
	}
	if len(answer) == 0 {
		return 0, false, ErrClosed
	}
	r, _, err := wire.ParsePort2Resp(answer)
	switch {
	case err != nil:
		return 0, false, fmt.Errorf("%w: %q: %w", ErrWrong, answer, err)
	case r.Result != 0:
		return 0, false, nil
	case string(r.Name) != name:
		return 0, false, fmt.Errorf("%w: asked for %q, told of %q", ErrWrong, name, r.Name)
	}
	return r.Port, true, nil
}

// List gives the registered names with their ports.
func (d *Dialer) List() (map[string]uint16, error) {
	answer, err := d.Ask(Names())
	if err != nil {
		return nil, err
	}
	return ParseList(answer)
}

// ParseList reads the answer to a NAMES_REQ.
func ParseList(answer []byte) (map[string]uint16, error) {
	if len(answer) == 0 {
		return nil, ErrClosed
	}
	_, lines, err := wire.ParseListPort(answer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	if len(lines) > 0 && !bytes.HasSuffix(lines, []byte("\n")) {
		return nil, ErrClosed
	}
	out := make(map[string]uint16)
	for l, err := range wire.NameLines(lines) {
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrWrong, err)
		}
		if _, twice := out[string(l.Name)]; twice {
			return nil, fmt.Errorf("%w: %q is listed twice", ErrWrong, l.Name)
		}
		out[string(l.Name)] = l.Port
	}
	return out, nil
}
