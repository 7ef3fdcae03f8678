package cnode

import (
	"crypto/md5" // the protocol demands it
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// Why a peer and this node do not come together.
var (
	// ErrPeer: the peer broke the protocol.
	ErrPeer = errors.New("the peer does not speak the distribution protocol")
	// ErrRefused: the peer said no; the text is its status.
	ErrRefused = errors.New("the peer refused the connection")
	// ErrAlive: the peer has a connection with a node of this name.
	ErrAlive = errors.New("the peer is connected with a node of this name")
	// ErrCookie: the peer does not know the cookie.
	ErrCookie = errors.New("the peer has another cookie")
)

// Version is that of the handshake with which a connection begins.
type Version int

// The versions. A node says in its registration which it knows: the highest of
// OTP 23 and later is 6.
const (
	Version5 Version = 5 // the old first message, 'n'
	Version6 Version = 6 // the new one, 'N'
)

// The tags of the handshake.
const (
	tagOldName    = 'n'
	tagNewName    = 'N'
	tagStatus     = 's'
	tagComplement = 'c'
	tagReply      = 'r'
	tagAck        = 'a'
)

// hello is the first message of either side.
type hello struct {
	old       bool
	flags     uint64
	challenge uint32 // of the accepting side
	creation  uint32 // 0 in an old one
	name      string
}

// appendHello writes the first message; that of the accepting side has a challenge.
func appendHello(h hello, accepting bool) []byte {
	if h.old {
		b := []byte{tagOldName, 0, byte(Version5)}
		b = binary.BigEndian.AppendUint32(b, uint32(h.flags))
		if accepting {
			b = binary.BigEndian.AppendUint32(b, h.challenge)
		}
		return append(b, h.name...)
	}
	b := binary.BigEndian.AppendUint64([]byte{tagNewName}, h.flags)
	if accepting {
		b = binary.BigEndian.AppendUint32(b, h.challenge)
	}
	b = binary.BigEndian.AppendUint32(b, h.creation)
	b = binary.BigEndian.AppendUint16(b, uint16(len(h.name)))
	return append(b, h.name...)
}

func parseHello(b []byte, accepting bool) (hello, error) {
	d := decoder{b: b}
	var h hello
	switch d.u8() {
	case tagOldName:
		h.old = true
		d.u16() // the version, which means nothing any more
		h.flags = uint64(d.u32())
		if accepting {
			h.challenge = d.u32()
		}
		h.name = string(d.take(len(d.b)))
	case tagNewName:
		h.flags = uint64(d.u32())<<32 | uint64(d.u32())
		if accepting {
			h.challenge = d.u32()
		}
		h.creation = d.u32()
		h.name = string(d.take(d.u16())) // more may follow, in times to come
	default:
		return h, fmt.Errorf("%w: %.40q is no first message", ErrPeer, b)
	}
	if d.err != nil || h.name == "" || !utf8.ValidString(h.name) {
		return h, fmt.Errorf("%w: %.40q is no first message", ErrPeer, b)
	}
	return h, nil
}

func digest(cookie string, challenge uint32) []byte {
	sum := md5.Sum(append([]byte(cookie), strconv.FormatUint(uint64(challenge), 10)...))
	return sum[:]
}

func newChallenge() (uint32, error) {
	var b [4]byte
	_, err := rand.Read(b[:])
	return binary.BigEndian.Uint32(b[:]), err
}

// greet is the first half of the handshake of the side that connects: its own first
// message, and that of the other side.
func (n Node) greet(rw io.ReadWriter, v Version) (first, other hello, err error) {
	first = hello{old: v == Version5, flags: flags, creation: n.Creation, name: n.Name}
	if err := writeShort(rw, appendHello(first, false)); err != nil {
		return first, hello{}, err
	}
	if err := n.readStatus(rw); err != nil {
		return first, hello{}, err
	}
	b, err := readShort(rw)
	if err != nil {
		return first, hello{}, err
	}
	other, err = parseHello(b, true)
	return first, other, err
}

// connect is the handshake of the side that connects.
func (n Node) connect(rw io.ReadWriter, peer string, v Version) (hello, error) {
	first, other, err := n.greet(rw, v)
	switch {
	case err != nil:
		return other, err
	case other.name != peer:
		return other, fmt.Errorf("%w: it is %.80q, and not %s", ErrPeer, other.name, peer)
	}
	if first.old && !other.old {
		// The peer knows the new handshake after all, and is owed the rest.
		rest := binary.BigEndian.AppendUint32([]byte{tagComplement}, uint32(flags>>32))
		if err := writeShort(rw, binary.BigEndian.AppendUint32(rest, n.Creation)); err != nil {
			return other, err
		}
	}
	challenge, err := newChallenge()
	if err != nil {
		return other, err
	}
	reply := binary.BigEndian.AppendUint32([]byte{tagReply}, challenge)
	if err := writeShort(rw, append(reply, digest(n.Cookie, other.challenge)...)); err != nil {
		return other, err
	}
	ack, err := readShort(rw)
	if err != nil {
		return other, fmt.Errorf("no acknowledgement, so perhaps another cookie: %w", err)
	}
	return other, n.checkDigest(ack, tagAck, challenge)
}

func (n Node) checkDigest(b []byte, tag byte, challenge uint32) error {
	if len(b) != 1+md5.Size || b[0] != tag {
		return fmt.Errorf("%w: %.40q where a digest must be", ErrPeer, b)
	}
	if subtle.ConstantTimeCompare(b[1:], digest(n.Cookie, challenge)) != 1 {
		return ErrCookie
	}
	return nil
}

func (n Node) readStatus(rw io.ReadWriter) error {
	b, err := readShort(rw)
	if err != nil {
		return err
	}
	if b[0] != tagStatus {
		return fmt.Errorf("%w: %.40q where a status must be", ErrPeer, b)
	}
	switch status := string(b[1:]); status {
	case "ok", "ok_simultaneous":
		return nil
	case "alive":
		if n.Yields {
			return errors.Join(ErrAlive, writeShort(rw, []byte("sfalse")))
		}
		// The peer still holds an old connection of ours: it shall drop that.
		return writeShort(rw, []byte("strue"))
	default:
		return fmt.Errorf("%w: %.40q", ErrRefused, status)
	}
}

// accept is the handshake of the side that was connected to.
func (n Node) accept(rw io.ReadWriter) (hello, error) {
	b, err := readShort(rw)
	if err != nil {
		return hello{}, err
	}
	other, err := parseHello(b, false)
	if err != nil {
		return other, err
	}
	if other.flags&flagHandshake23 == 0 {
		return other, fmt.Errorf("%w: a node older than OTP 23", ErrPeer)
	}
	if err := writeShort(rw, []byte("sok")); err != nil {
		return other, err
	}
	challenge, err := newChallenge()
	if err != nil {
		return other, err
	}
	mine := hello{flags: flags, challenge: challenge, creation: n.Creation, name: n.Name}
	if err := writeShort(rw, appendHello(mine, true)); err != nil {
		return other, err
	}
	if b, err = readShort(rw); err != nil {
		return other, err
	}
	if other.old {
		d := decoder{b: b}
		if d.u8() != tagComplement {
			return other, fmt.Errorf("%w: %.40q where the rest of the first message must be", ErrPeer, b)
		}
		other.flags |= uint64(d.u32()) << 32
		other.creation = d.u32()
		if d.err != nil {
			return other, fmt.Errorf("%w: %w", ErrPeer, d.err)
		}
		if b, err = readShort(rw); err != nil {
			return other, err
		}
	}
	const challengeEnd = 1 + 4
	if len(b) != challengeEnd+md5.Size {
		return other, fmt.Errorf("%w: %.40q where a digest must be", ErrPeer, b)
	}
	theirs := binary.BigEndian.Uint32(b[1:])
	if err := n.checkDigest(append(b[:1:1], b[challengeEnd:]...), tagReply, challenge); err != nil {
		return other, err
	}
	return other, writeShort(rw, append([]byte{tagAck}, digest(n.Cookie, theirs)...))
}
