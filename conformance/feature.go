package conformance

import (
	"slices"
	"strings"
)

// Feature is something that an EPMD may lack, and be none the worse for nodes that look for
// each other.
type Feature string

// The features.
const (
	// Commands: its program has OTP's commands, such as -names.
	Commands Feature = "commands"
	// Flags: its program takes OTP's flags, and its port and more from the environment.
	Flags Feature = "flags"
	// Addresses: it listens on more than 127.0.0.1, or on what -address says.
	Addresses Feature = "address"
	// Relaxed, Timeout, Delay: the flags -relaxed_command_check, -packet_timeout, and
	// -delay_accept and -delay_write.
	Relaxed Feature = "relaxed"
	Timeout Feature = "timeout"
	Delay   Feature = "delay"
	// Files: its limit of open files can be set from outside.
	Files Feature = "files"
	// Dump, Kill, Stop: it answers DUMP_REQ, KILL_REQ and STOP_REQ.
	Dump Feature = "dump"
	Kill Feature = "kill"
	Stop Feature = "stop"
	// Extension: the multi-transport extension, and the time for the holder of a name to end.
	Extension Feature = "extension"
)

// Features are all of them.
var Features = []Feature{Commands, Flags, Addresses, Relaxed, Timeout, Delay, Files, Dump, Kill, Stop, Extension}

// needs are how a scenario shows that it needs a feature: by how its daemon is started, or by
// what its steps do.
var needs = map[Feature]func(Scenario) bool{
	Commands: func(s Scenario) bool { return s.step(func(st Step) bool { return st.kind == runs }) },
	Flags: func(s Scenario) bool {
		return len(s.Daemon.Flags)+len(s.Daemon.Env) > 0 || s.Daemon.PortByEnv || ours(s.Daemon)
	},
	Addresses: func(s Scenario) bool {
		return s.flag("-address") || s.step(func(st Step) bool { return st.route != Route{} })
	},
	Relaxed:   func(s Scenario) bool { return s.flag("-relaxed_command_check") },
	Timeout:   func(s Scenario) bool { return s.flag("-packet_timeout") },
	Delay:     func(s Scenario) bool { return s.flag("-delay_accept") || s.flag("-delay_write") },
	Files:     func(s Scenario) bool { return s.Daemon.Files > 0 },
	Dump:      func(s Scenario) bool { return s.sends("DUMP_REQ", 'd') },
	Kill:      func(s Scenario) bool { return s.sends("KILL_REQ", 'k') },
	Stop:      func(s Scenario) bool { return s.sends("STOP_REQ", 's') },
	Extension: func(s Scenario) bool { return ours(s.Daemon) },
}

// ours says that a daemon is started with what OTP's does not have.
func ours(c Config) bool { return c.MultiTransport || c.TakenGrace > 0 }

// lacking is the first of the features that a scenario needs.
func lacking(without []Feature, s Scenario) (Feature, bool) {
	for _, f := range without {
		if needs[f](s) {
			return f, true
		}
	}
	return "", false
}

// step says whether any step, of any variant and in loops too, is so.
func (s *Scenario) step(is func(Step) bool) bool {
	if slices.ContainsFunc(s.Steps, is) {
		return true
	}
	return slices.ContainsFunc(s.Differs, func(v Variant) bool { return slices.ContainsFunc(v.Steps, is) })
}

// flag says whether the daemon is started with a flag, or what stands for it in the
// environment.
func (s *Scenario) flag(flag string) bool {
	return slices.Contains(s.Daemon.Flags, flag) || slices.ContainsFunc(s.Daemon.Env, func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return name == envOf[flag]
	})
}

// envOf is the variable that stands for a flag.
var envOf = map[string]string{"-address": "ERL_EPMD_ADDRESS", "-relaxed_command_check": "ERL_EPMD_RELAXED_COMMAND_CHECK"}

// sends says whether any step sends a request, which loops hold as text.
func (s *Scenario) sends(name string, tag byte) bool {
	return s.step(func(st Step) bool {
		if st.kind == loops {
			return strings.Contains(st.text, "-> "+name)
		}
		return st.kind == sends && slices.ContainsFunc(st.segments, func(b Bytes) bool {
			return slices.ContainsFunc(b, func(p Part) bool { return p.Field == "tag" && len(p.Bytes) == 1 && p.Bytes[0] == tag })
		})
	})
}
