package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goepmd/goepmd/wire"
)

// options is what the command line and the environment ask for.
type options struct {
	command  command
	stopName string

	port      uint16
	portBy    string // the flag or variable that set it; empty is none
	addresses string // as given; parsed when they are needed
	addressBy string // likewise
	debug     int
	daemon    bool
	systemd   bool
	relaxed   bool
	state     string // path; empty is none
	multi     bool   // -multi_transport
	oneHolder bool
	http      string // empty: not asked for

	packetTimeout, delayAccept, delayWrite time.Duration

	access   access
	exitIdle time.Duration

	takenGrace time.Duration // 0: not given; negative: none
}

// command is what the program is to do.
type command int

const (
	commandServe command = iota
	commandNames
	commandStarted
	commandDump
	commandKill
	commandStop
	commandUpgrade
	commandVersion
)

var errUsage = errors.New("wrong usage")

// The environment variables. OTP's programs read them too.
const (
	envPort    = "ERL_EPMD_PORT"
	envAddress = "ERL_EPMD_ADDRESS"
	envRelaxed = "ERL_EPMD_RELAXED_COMMAND_CHECK"
)

// parseArgs reads the command line, which wins over the environment. Its error
// is errUsage, or tells what is wrong with the environment or a list of networks.
func parseArgs(args []string, env func(string) (string, bool)) (options, error) {
	o, err := parseFlags(args, env)
	if err == nil && o.port == 0 && o.command != commandVersion {
		o.port, o.portBy, err = portFromEnv(env)
	}
	return o, err
}

// portFromEnv is the port where the command line names none, and the variable that set it.
func portFromEnv(env func(string) (string, bool)) (port uint16, by string, err error) {
	v, _ := env(envPort)
	if v == "" {
		return wire.DefaultPort, "", nil
	}
	n := leadingInt(v)
	if n < 1 || n > 65535 {
		return 0, "", fmt.Errorf("%s is %q, which is not a port number from 1 to 65535: correct or unset it", envPort, v)
	}
	return uint16(n), envPort, nil
}

// parseFlags is parseArgs but for the port of the environment: 0 is none given.
func parseFlags(args []string, env func(string) (string, bool)) (options, error) {
	var o options
	if o.addresses, _ = env(envAddress); o.addresses != "" {
		o.addressBy = envAddress
	}
	_, o.relaxed = env(envRelaxed) // set to anything, even to nothing

	for len(args) > 0 {
		flag, value, more := args[0], "", len(args) > 1
		if more {
			value = args[1]
		}
		used := 1
		ok := true
		switch flag {
		case "-d", "-debug":
			o.debug++
		case "-daemon":
			o.daemon = true
		case "-systemd":
			o.systemd = true
		case "-relaxed_command_check":
			o.relaxed = true
		case "-multi_transport":
			o.multi = true
		case "-one_holder":
			o.oneHolder = true
		case "-address":
			o.addresses, o.addressBy, used, ok = value, flag, 2, more
		case "-state":
			o.state, used, ok = value, 2, more && value != ""
		case "-port":
			n := leadingInt(value)
			o.port, o.portBy, used, ok = uint16(n), flag, 2, n >= 1 && n <= 65535
		case "-allow_lookup", "-allow_names", "-allow_register", "-allow_stop":
			list, err := parseNetworks(flag, value)
			if err != nil {
				return o, err
			}
			*o.access.list(flag), used, ok = list, 2, more
		case "-taken_grace":
			used, ok = 2, milliseconds(value, &o.takenGrace)
		case "-exit_idle":
			used, ok = 2, seconds(value, &o.exitIdle)
		case "-http":
			o.http, used, ok = value, 2, more && value != ""
		case "-packet_timeout":
			used, ok = 2, seconds(value, &o.packetTimeout)
		case "-delay_accept":
			used, ok = 2, delay(value, &o.delayAccept)
		case "-delay_write":
			used, ok = 2, delay(value, &o.delayWrite)
		default:
			return o, o.interactive(args)
		}
		if !ok {
			return o, errUsage
		}
		args = args[used:]
	}
	return o, nil
}

// interactive reads a command, which must be the last thing on the line.
func (o *options) interactive(args []string) error {
	commands := map[string]command{
		"-names": commandNames, "-started": commandStarted, "-dump": commandDump,
		"-kill": commandKill, "-stop": commandStop, "-upgrade": commandUpgrade, "-version": commandVersion,
	}
	c, known := commands[args[0]]
	operands := 0
	if c == commandStop {
		operands = 1
	}
	if !known || len(args) != 1+operands {
		return errUsage
	}
	o.command = c
	if c == commandStop {
		o.stopName = args[1]
	}
	return nil
}

// seconds reads a positive number of seconds.
func seconds(s string, into *time.Duration) bool {
	n := leadingInt(s)
	*into = time.Duration(n) * time.Second
	return n > 0
}

// milliseconds reads a number of milliseconds. Zero is none, which is negative to a server.
func milliseconds(s string, into *time.Duration) bool {
	n, err := strconv.ParseUint(s, 10, 31)
	*into = time.Duration(n) * time.Millisecond
	if n == 0 {
		*into = -1
	}
	return err == nil
}

// delay reads a number of seconds that may be negative, which is none: OTP's refuses
// zero alone.
func delay(s string, into *time.Duration) bool {
	n := leadingInt(s)
	*into = time.Duration(max(n, 0)) * time.Second
	return n != 0
}

// leadingInt reads a decimal number as C's atoi does: blanks and a sign may stand
// before it, anything after it, and without one it is 0. What no int32 holds
// is 0 too.
func leadingInt(s string) int64 {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	var n int64
	for i := 0; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		n = n*10 + int64(s[i]-'0')
		if n > 1<<31-1 {
			return 0
		}
	}
	if negative {
		return -n
	}
	return n
}
