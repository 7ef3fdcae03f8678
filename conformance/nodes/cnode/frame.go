package cnode

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// maxFrame bounds a message of the peer, in bytes.
const maxFrame = 1 << 20

// maxHandshake bounds a message of the handshake, in bytes. The longest there are
// hold a node's name.
const maxHandshake = 4 << 10

// readShort reads a message of the handshake: 2 bytes of length, then so many.
func readShort(r io.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint16(head[:])
	if n == 0 || n > maxHandshake {
		return nil, fmt.Errorf("%w: a message of %d bytes in the handshake", ErrPeer, n)
	}
	return readBody(r, int(n))
}

func writeShort(w io.Writer, body []byte) error {
	if len(body) > math.MaxUint16 {
		return fmt.Errorf("a message of %d bytes in the handshake", len(body))
	}
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...))
	return err
}

// wide is a connection on which the lengths of the handshake have 4 bytes, as nodes have
// it inside TLS, made to look as if they had 2.
type wide struct {
	io.ReadWriter
	rest int    // of the body that is being read
	head []byte // what is left to give of its length
}

// Write takes a whole message, as writeShort gives it.
func (w *wide) Write(message []byte) (int, error) {
	n, err := w.ReadWriter.Write(append([]byte{0, 0}, message...))
	return max(n-2, 0), err
}

func (w *wide) Read(b []byte) (int, error) {
	if w.rest == 0 && len(w.head) == 0 {
		var head [4]byte
		if _, err := io.ReadFull(w.ReadWriter, head[:]); err != nil {
			return 0, err
		}
		n := binary.BigEndian.Uint32(head[:])
		if n > maxHandshake {
			return 0, fmt.Errorf("%w: a message of %d bytes in the handshake", ErrPeer, n)
		}
		w.rest, w.head = int(n), head[2:]
	}
	if len(w.head) > 0 {
		n := copy(b, w.head)
		w.head = w.head[n:]
		return n, nil
	}
	n, err := w.ReadWriter.Read(b[:min(len(b), w.rest)])
	w.rest -= n
	return n, err
}

// readLong reads a message after the handshake: 4 bytes of length, then so many.
// An empty one is a tick.
func readLong(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return nil, fmt.Errorf("%w: a message of %d bytes", ErrPeer, n)
	}
	return readBody(r, int(n))
}

func readBody(r io.Reader, n int) ([]byte, error) {
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("a message of %d bytes: %w", n, io.ErrUnexpectedEOF)
	}
	return body, nil
}

func writeLong(w io.Writer, body []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	return err
}
