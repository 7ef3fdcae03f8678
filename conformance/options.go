package conformance

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Options is what a [Config] asks for, for targets that are no program.
type Options struct {
	// Relaxed is -relaxed_command_check, and Debug how often -d stands there.
	Relaxed bool
	Debug   int
	// MultiTransport is -multi_transport.
	MultiTransport bool
	// OneHolder is -one_holder.
	OneHolder bool
	// TakenGrace is -taken_grace, zero if not given.
	TakenGrace time.Duration
	// PacketTimeout, AcceptDelay and WriteDelay are zero if not given.
	PacketTimeout, AcceptDelay, WriteDelay time.Duration
	// Addresses are those of -address; none is all.
	Addresses []netip.Addr
}

// shortest is the shortest of the times that a daemon keeps to; zero is none.
func (o Options) shortest() (least time.Duration) {
	for _, d := range []time.Duration{o.PacketTimeout, o.AcceptDelay, o.WriteDelay} {
		if d > 0 && (least == 0 || d < least) {
			least = d
		}
	}
	return least
}

// Options reads the flags and the environment of a config. It fails with
// [ErrUnsupported] where a program would have to judge them.
func (c Config) Options() (Options, error) {
	var o Options
	if c.PortByEnv || c.Files > 0 {
		return o, Unsupported("it takes a program")
	}
	for _, e := range c.Env {
		name, value, _ := strings.Cut(e, "=")
		switch name {
		case "ERL_EPMD_RELAXED_COMMAND_CHECK":
			o.Relaxed = true
		case "ERL_EPMD_ADDRESS":
			if err := o.addresses(value); err != nil {
				return o, err
			}
		default:
			return o, Unsupported("it takes a program with %s in its environment", name)
		}
	}
	for flags := c.Flags; len(flags) > 0; {
		n, err := o.flag(flags)
		if err != nil {
			return o, err
		}
		flags = flags[n:]
	}
	return o, nil
}

// flag reads the first flag, and says of how many words it is.
func (o *Options) flag(flags []string) (int, error) {
	switch flags[0] {
	case "-relaxed_command_check":
		o.Relaxed = true
		return 1, nil
	case multiTransportFlag:
		o.MultiTransport = true
		return 1, nil
	case "-one_holder":
		o.OneHolder = true
		return 1, nil
	case "-d", "-debug":
		o.Debug++
		return 1, nil
	}
	if len(flags) < 2 {
		return 0, Unsupported("it takes a program that judges %s", flags[0])
	}
	if flags[0] == "-address" {
		o.Addresses = nil // it wins over the environment
		return 2, o.addresses(flags[1])
	}
	n, err := strconv.ParseUint(flags[1], 10, 31)
	seconds := time.Duration(n) * time.Second
	switch {
	case err != nil || n == 0:
	case flags[0] == takenGraceFlag:
		o.TakenGrace = time.Duration(n) * time.Millisecond
		return 2, nil
	case flags[0] == "-packet_timeout":
		o.PacketTimeout = seconds
		return 2, nil
	case flags[0] == "-delay_accept":
		o.AcceptDelay = seconds
		return 2, nil
	case flags[0] == "-delay_write":
		o.WriteDelay = seconds
		return 2, nil
	}
	return 0, Unsupported("it takes a program that judges %s %s", flags[0], flags[1])
}

func (o *Options) addresses(list string) error {
	for _, a := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		addr, err := netip.ParseAddr(a)
		if err != nil || addr.Zone() != "" {
			return Unsupported("it takes a program that judges the address %s", a)
		}
		o.Addresses = append(o.Addresses, addr)
	}
	return nil
}

// multiTransportFlag asks a program for the multi-transport extension, takenGraceFlag for
// time until a taken name is refused.
const (
	multiTransportFlag = "-multi_transport"
	takenGraceFlag     = "-taken_grace"
)

// here is the config with this machine's addresses in it, and all flags.
func (c Config) here() (Config, error) {
	if c.MultiTransport {
		c.Flags = append(slices.Clone(c.Flags), multiTransportFlag)
	}
	if c.TakenGrace > 0 {
		c.Flags = append(slices.Clone(c.Flags), takenGraceFlag, strconv.Itoa(c.TakenGrace))
	}
	flags, err := outsides(c.Flags)
	env, err2 := outsides(c.Env)
	c.Flags, c.Env = flags, env
	return c, errors.Join(err, err2)
}
