package nodes

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/wire"
)

// severalVersions are those whose nodes can have several transports, by an EPMD module.
var severalVersions = []int{25, 27, 29}

// with is a node with the EPMD module. The Unix sockets are where all nodes of a
// container find them.
func with(otp int, name string, protos ...string) spec {
	args := append([]string{"-proto_dist"}, protos...)
	return spec{
		otp: otp, name: fmt.Sprintf("%s%d", name, otp), module: true,
		args: append(args, "-ssl_dist_optfile", "/"+sslFile, "-goepmd", "uds_dir", `"/tmp/goepmd"`),
	}
}

// The nodes of the story: s is called, k has TCP alone, and m has what s has.
func nodeS(otp int) spec { return with(otp, "s", "goepmd_tcp", "goepmd_tls", "goepmd_uds") }
func nodeK(otp int) spec { return with(otp, "k", "inet_tcp") }
func nodeM(otp int) spec { return with(otp, "m", "goepmd_tcp", "goepmd_tls", "goepmd_uds") }

// way is what a connection runs over: as net_kernel tells it, and what is at its end.
type way struct {
	carrier
	control string
}

var (
	byTCP  = way{tcp, "inet"}
	byTLS  = way{carrier{"tls", "inet"}, "{tls_sender,init,1}"}
	byUDS  = way{carrier{"uds", "local"}, "local"}
	byTCP6 = way{carrier{"tcp", "inet6"}, "inet6"}
	byTLS6 = way{carrier{"tls", "inet6"}, "{tls_sender,init,1}"}
)

// over connects to another node anew, which must be over the given way.
func (n *node) over(t *trial, other *node, w way) {
	n.reach(t, other, w.carrier)
	for _, pair := range [][2]*node{{n, other}, {other, n}} {
		pair[0].expect(t, w.control, "case proplists:get_value('%s', erlang:system_info(dist_ctrl)) of "+
			"P when is_port(P) -> case inet:sockname(P) of {ok, {local, _}} -> local; "+
			"{ok, {A, _}} when tuple_size(A) =:= 4 -> inet; {ok, {A, _}} when tuple_size(A) =:= 8 -> inet6 end; "+
			"P -> proc_lib:translate_initial_call(P) end", pair[1].name())
	}
}

// refuses makes sure that a node does not connect to another, and does not even try.
func (n *node) refuses(t *trial, other *node, reason string) {
	n.part(t, other)
	t.equal("pang", n.ping(t, other.name()), "ping from %s to %s", n.name(), other.name())
	n.expect(t, reason, "case goepmd:choose('%s') of {error, R} when is_tuple(R) -> element(1, R); {error, R} -> R; R -> R end", other.name())
}

// set sets a parameter of the EPMD module, while the node runs.
func (n *node) set(t *trial, parameter, value string) {
	n.expect(t, "ok", "application:set_env(goepmd, %s, %s)", parameter, value)
}

// load gives a node a module "mine" with the function p/2, for a policy.
func (n *node) load(t *trial, function string) {
	n.expect(t, "{module,mine}", `begin Forms = [begin {ok, Ts, _} = erl_scan:string(S), {ok, F} = erl_parse:parse_form(Ts), F end || `+
		`S <- ["-module(mine).", "-export([p/2]).", "%s"]], {ok, mine, B} = compile:forms(Forms), code:load_binary(mine, "mine", B) end`, function)
}

// names of transports, in their order.
func transportNames(of []wire.Transport) string {
	var all []string
	for _, one := range of {
		all = append(all, one.Name)
	}
	return strings.Join(all, " ")
}

// port is that of one transport of a node.
func (t *trial) port(name, transport string) uint16 {
	of := t.transports(name)
	i := slices.IndexFunc(of, func(one wire.Transport) bool { return one.Name == transport })
	if i < 0 {
		t.fail("%s has no transport %s", name, transport)
	}
	return of[i].Port
}

// has waits until a node is registered with transports, in this order.
func (t *trial) has(name, transports string) {
	t.until(patience, name+" has the transports "+transports, func() string {
		if got := transportNames(t.transports(name)); got != transports {
			return "it has " + strconv.Quote(got)
		}
		return ""
	})
}

// severally makes a scenario of each version that can.
func severally(name, rule, why string, run func(t *trial, otp int)) []scenario {
	var all []scenario
	for _, otp := range severalVersions {
		all = append(all, scenario{
			name:   fmt.Sprintf("nodes-several-%s-%d", name, otp),
			rule:   fmt.Sprintf("OTP %d: %s", otp, rule),
			why:    why,
			images: []string{strconv.Itoa(otp)}, several: true,
			run: func(t *trial) { run(t, otp) },
		})
	}
	return all
}

// severalGroups are nodes with several transports under one name.
func severalGroups() []group {
	main := group{start: extended}
	six := severalSix()
	needIPv6(six)
	kinds := [][]scenario{
		severalRegistered(), severalOne(), severalPolicy(), severalFunction(), severalBad(),
		severalStock(), severalTaken(), severalAlone(), severalRelease(), six,
	}
	for i, otp := range severalVersions {
		main.warm = append(main.warm, nodeS(otp), nodeM(otp), nodeK(otp))
		var lane []scenario
		for _, kind := range kinds {
			lane = append(lane, kind[i])
		}
		main.lanes = append(main.lanes, append(lane, severalAcross(otp)...))
	}
	all := []group{main}
	for _, s := range severalRestart() {
		all = append(all, group{start: extended, first: []scenario{s}})
	}
	for i, s := range severalFallback() {
		all = append(all, group{start: theirs(severalVersions[i]), first: []scenario{s}})
	}
	return all
}

// extended is the daemon under test with its extension on. Without there are no
// scenarios to play.
func extended(r *run) starter {
	if r.suite.MultiTransport == nil {
		return r.suite.Start
	}
	return r.suite.MultiTransport.Start
}

// theirs is OTP's own epmd, in the container of a version.
func theirs(otp int) func(*run) starter {
	return func(r *run) starter {
		return func(ctx context.Context, port uint16) (Daemon, error) {
			b, err := r.hall.box(ctx, strconv.Itoa(otp))
			if err != nil {
				return nil, err
			}
			number := strconv.Itoa(int(port))
			p := b.start(command{args: []string{"epmd", "-port", number, "-relaxed_command_check"}})
			if err := conformance.AwaitListening(ctx, port, p.ended); err != nil {
				return nil, fmt.Errorf("OTP's epmd: %w: %s", err, p.printed())
			}
			return theirDaemon{p, b, number}, nil
		}
	}
}

// theirDaemon is a running epmd of OTP.
type theirDaemon struct {
	*process
	box  *box
	port string
}

// Stop ends it by KILL_REQ, since a program in a container has no number here.
func (d theirDaemon) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := d.box.shell(ctx, "epmd -port "+d.port+" -kill"); err != nil {
		return err
	}
	_, err := d.wait(ctx)
	return err
}

func severalRegistered() []scenario {
	return severally("register",
		"a node that is not patched registers TCP, TLS and a Unix socket under one name, in its own order; the port of each is what it says",
		"a caller would be told a port that speaks something else",
		func(t *trial, otp int) {
			s := t.node(nodeS(otp))
			name := s.spec.name
			t.equal("inet_tcp inet_tls uds", transportNames(t.transports(name)), "transports of %s", name)
			t.equal(t.port(name, "inet_tcp"), t.lookup(name).Port, "what a PORT_PLEASE2_REQ is told")
			t.shows(t.port(name, "inet_tls"))
			s.expect(t, fmt.Sprint(t.port(name, "inet_tcp")), "begin {ok, L} = net_adm:names(), proplists:get_value(\"%s\", L) end", name)
			s.expect(t, "[\"inet_tcp\",\"inet_tls\",\"uds\"]",
				"begin {ok, L} = goepmd:list(\"127.0.0.1\"), [T || {T, _} <- proplists:get_value(\"%s\", L)] end", name)
		})
}

func severalOne() []scenario {
	return severally("one",
		"a node with TCP alone connects to one with several transports over TCP, also if its policy likes TLS better",
		"a node with one transport would call a port that it does not understand",
		func(t *trial, otp int) {
			s, k := t.node(nodeS(otp)), t.node(nodeK(otp))
			k.over(t, s, byTCP)
			k.set(t, "policy", "[inet_tls, inet_tcp]")
			k.over(t, s, byTCP)
			s.over(t, k, byTCP)
		})
}

func severalPolicy() []scenario {
	return severally("policy",
		"of two nodes with the same transports the caller's policy chooses: TCP in the same subnet and TLS elsewhere, a Unix socket on the same machine, or a list; what it does not name is not used",
		"TLS could not be kept for where it is needed",
		func(t *trial, otp int) {
			s, m := t.node(nodeS(otp)), t.node(nodeM(otp))
			m.set(t, "policy", "subnet")
			m.over(t, s, byTCP)
			m.set(t, "near", "[]")
			m.over(t, s, byTLS)
			m.set(t, "near", "[{{127,0,0,0}, 8}]")
			m.over(t, s, byTCP)
			m.set(t, "policy", "machine")
			m.over(t, s, byUDS)
			m.expect(t, "20000000", "erpc:call('%s', erlang, byte_size, [binary:copy(<<1>>, 20000000)])", s.name())
			m.set(t, "policy", "[inet_tls, inet_tcp]")
			m.over(t, s, byTLS)
			m.set(t, "policy", "[inet6_tls, inet_tcp]")
			m.over(t, s, byTCP)
			m.set(t, "policy", "[inet6_tcp]")
			m.refuses(t, s, "no_transport")
		})
}

func severalFunction() []scenario {
	return severally("function",
		"a function of one's own is given the node and what it offers, and chooses",
		"rules that are not ready-made could not be had",
		func(t *trial, otp int) {
			s, m := t.node(nodeS(otp)), t.node(nodeM(otp))
			m.load(t, fmt.Sprintf("p('%s', [{inet_tcp, {127,0,0,1}, A}, {inet_tls, {127,0,0,1}, B}, {uds, {127,0,0,1}, C}]) "+
				"when is_integer(A), is_integer(B), is_integer(C) -> [inet_tls].", s.name()))
			m.set(t, "policy", "{mine, p}")
			m.over(t, s, byTLS)
		})
}

func severalBad() []scenario {
	return severally("bad-policy",
		"a policy that fails, gives nonsense or never answers makes a call fail, and nothing else",
		"a mistake in it would end the node, or make it deaf",
		func(t *trial, otp int) {
			s, m := t.node(nodeS(otp)), t.node(nodeM(otp))
			m.set(t, "silence", "0")
			m.set(t, "policy", "{mine, no_such_function}")
			m.refuses(t, s, "undef")
			m.set(t, "policy", "{mine, p}")
			for function, reason := range map[string]string{
				"p(_, _) -> exit(enough).": "enough",
				"p(_, _) -> nonsense.":     "{bad_generator,nonsense}",
				"p(_, _) -> [17, uds6].":   "no_transport",
			} {
				m.load(t, function)
				m.refuses(t, s, reason)
			}
			m.load(t, "p(_, _) -> timer:sleep(infinity).")
			m.set(t, "timeout", "300")
			m.refuses(t, s, "timeout")
			m.set(t, "silence", "600000")
			m.refuses(t, s, "silent")
			for _, parameter := range []string{"silence", "timeout", "policy", "near"} {
				m.expect(t, "ok", "application:unset_env(goepmd, %s)", parameter)
			}
			m.expect(t, "true", "ets:match_delete(goepmd, {{silent, '_'}, '_'})") // it would be ten minutes
			m.over(t, s, byTCP)
		})
}

func severalStock() []scenario {
	return severally("stock",
		"nodes with OTP's own EPMD module reach the transport that was named first; one of several transports calls them as `assume` says, or not at all",
		"a cluster could not be changed node by node",
		func(t *trial, otp int) {
			s, m := t.node(nodeS(otp)), t.node(nodeM(otp))
			plain, secret := t.node(short(otp)), t.node(overTLS(otp))
			m.set(t, "policy", "[inet_tls, inet_tcp]")
			plain.over(t, s, byTCP)
			m.over(t, plain, byTCP)
			m.set(t, "assume", "inet_tls")
			m.over(t, secret, byTLS)
			m.set(t, "assume", "none")
			m.refuses(t, plain, "no_transport")
			m.refuses(t, secret, "no_transport")
			m.expect(t, "ok", "application:unset_env(goepmd, assume)")
		})
}

func severalTaken() []scenario {
	return severally("taken",
		"a second node of the name does not start, although its transport is another one",
		"two nodes would share a name",
		func(t *trial, otp int) {
			s := t.node(nodeS(otp))
			before := t.transports(s.spec.name)
			second := with(otp, "s", "goepmd_tcp6")
			printed, status, err := s.box.run(t.ctx, second.commandEval(t.daemon().port, "halt(0)"))
			t.must(err)
			t.step("start another "+s.name(), printed)
			if status == 0 || !contains(printed, "in use by another Erlang node") {
				t.fail("the second %s ended with %d:\n%s", s.name(), status, tail(printed))
			}
			t.equal(before, t.transports(s.spec.name), "transports of %s", s.spec.name)
		})
}

func severalAlone() []scenario {
	return severally("alone",
		"a transport whose connection to the daemon ends is gone at once, and no other; it comes back, in its old place",
		"a lookup would tell ports that nobody vouches for, or lose a node that is well",
		func(t *trial, otp int) {
			m := t.node(nodeM(otp))
			x := t.newNode(with(otp, "x", "goepmd_tcp", "goepmd_tls", "goepmd_uds"))
			name := x.spec.name
			before := t.transports(name)
			x.expect(t, "ok", "sys:suspend(goepmd)") // it would come back too soon to be seen
			x.expect(t, "ok", "gen_tcp:shutdown(lists:nth(2, [P || P <- erlang:ports(), {ok, {_, %d}} <- [inet:peername(P)]]), read_write)", t.daemon().port)
			t.has(name, "inet_tcp uds")
			m.set(t, "policy", "[inet_tls]")
			m.refuses(t, x, "no_transport")
			m.set(t, "policy", "[inet_tls, inet_tcp]")
			m.over(t, x, byTCP)
			x.expect(t, "ok", "sys:resume(goepmd)")
			t.has(name, "inet_tcp inet_tls uds")
			t.equal(before, t.transports(name), "transports of %s", name)
			m.over(t, x, byTLS)
			x.kill(t)
			t.gone(name)
			t.equal("", transportNames(t.transports(name)), "transports of the dead %s", name)
		})
}

// makeRelease makes a boot file with the module as an application, in embedded mode.
const makeRelease = `
mkdir -p release/goepmd-0/ebin && cp *.beam release/goepmd-0/ebin && cd release && erl -noshell -eval '
  {ok, [{application, goepmd, P}]} = file:consult("../goepmd.app.src"),
  Modules = [list_to_atom(filename:basename(F, ".beam")) || F <- filelib:wildcard("goepmd-0/ebin/*.beam")],
  App = {application, goepmd, lists:keyreplace(modules, 1, lists:keyreplace(vsn, 1, P, {vsn, "0"}), {modules, Modules})},
  ok = file:write_file("goepmd-0/ebin/goepmd.app", io_lib:format("~p.~n", [App])),
  Apps = [begin _ = application:load(A), {ok, V} = application:get_key(A, vsn), {A, V} end ||
             A <- [kernel, stdlib, crypto, asn1, public_key, ssl]],
  Release = {release, {"several", "1"}, {erts, erlang:system_info(version)}, [{goepmd, "0"} | Apps]},
  ok = file:write_file("several.rel", io_lib:format("~p.~n", [Release])),
  ok = systools:make_script("several", [local, no_warn_sasl, {path, ["goepmd-0/ebin"]}]) ' -s init stop`

func severalRelease() []scenario {
	return severally("release",
		"in a release, in embedded mode, with the parameters in sys.config, it is the same, and listens on the ports that these say",
		"nodes in production are releases",
		func(t *trial, otp int) {
			s := t.node(nodeS(otp))
			var ports []uint16
			for range 2 {
				port, err := conformance.FreePort()
				t.must(err)
				ports = append(ports, port)
			}
			config := fmt.Sprintf("[{goepmd, [{policy, [inet_tls]}, {ports, [{inet_tcp, %d}, {inet_tls, %d}]}]}].", ports[0], ports[1])
			t.must(s.box.upload(t.ctx, map[string][]byte{moduleFolder[1:] + "/several.config": []byte(config)}))
			t.must(s.box.shell(t.ctx, "cd "+moduleFolder+makeRelease))
			r := with(otp, "r", "goepmd_tcp", "goepmd_tls")
			r.args = append(r.args, "-mode", "embedded", "-boot", moduleFolder+"/release/several", "-config", moduleFolder+"/several")
			n := t.newNode(r)
			n.expect(t, "embedded", "code:get_mode()")
			t.equal(ports[0], t.port(r.name, "inet_tcp"), "port for TCP")
			t.equal(ports[1], t.port(r.name, "inet_tls"), "port for TLS")
			n.over(t, s, byTLS)
		})
}

func severalSix() []scenario {
	return severally("inet6",
		"TCP and TLS over IPv4 and IPv6, all four, are registered under one name, and the policy chooses among them",
		"both kinds of TLS together do not boot without the modules",
		func(t *trial, otp int) {
			protos := []string{"goepmd_tcp", "goepmd_tls", "goepmd_tcp6", "goepmd_tls6"}
			a, b := t.newNode(with(otp, "v", protos...)), t.newNode(with(otp, "w", protos...))
			t.equal("inet_tcp inet_tls inet6_tcp inet6_tls", transportNames(t.transports(a.spec.name)), "transports")
			tls6 := byTLS6
			if otp == 25 {
				tls6.family = "inet" // so it calls that, whatever the address
			}
			for policy, w := range map[string]way{"inet_tcp": byTCP, "inet_tls": byTLS, "inet6_tcp": byTCP6, "inet6_tls": tls6} {
				a.set(t, "policy", "["+policy+"]")
				a.over(t, b, w)
				size := 4
				if strings.HasPrefix(policy, "inet6") {
					size = 8
				}
				a.expect(t, fmt.Sprint(size), "begin {ok, A} = net_kernel:node_info('%s', address), tuple_size(element(1, element(2, A))) end", b.name())
			}
		})
}

// severalAcross is a caller of one version, and the others.
func severalAcross(otp int) []scenario {
	var all []scenario
	for _, other := range severalVersions {
		if other == otp {
			continue
		}
		all = append(all, scenario{
			name:   fmt.Sprintf("nodes-several-across-%d-%d", otp, other),
			rule:   fmt.Sprintf("OTP %d reaches OTP %d by TCP and by TLS, as its policy says", otp, other),
			why:    "a cluster of mixed versions, as during an upgrade, would fall apart",
			images: []string{strconv.Itoa(otp), strconv.Itoa(other)}, several: true,
			run: func(t *trial) {
				m, s := t.node(nodeM(otp)), t.node(nodeS(other))
				m.set(t, "policy", "[inet_tcp]")
				m.over(t, s, byTCP)
				m.set(t, "policy", "[inet_tls]")
				m.over(t, s, byTLS)
			},
		})
	}
	return all
}

func severalRestart() []scenario {
	return severally("restart",
		"the daemon is killed and started again: all transports come back, in their order, and connections live on; with a daemon without the extension the first one does, and with the next daemon all",
		"a node would stay unreachable, or an upgrade of the daemon would break a cluster",
		func(t *trial, otp int) {
			s, m := t.newNode(nodeS(otp)), t.newNode(nodeM(otp))
			m.set(t, "policy", "[inet_tls, inet_tcp]")
			m.over(t, s, byTLS)
			m.expect(t, "ok", "net_kernel:monitor_nodes(true)")
			name := s.spec.name
			before := t.transports(name)
			d := t.daemon()
			extended, plain := t.stage.suite.MultiTransport.Start, t.stage.suite.Start
			t.must(d.stop())
			d.start = extended
			t.must(d.run(t.ctx))
			t.step("kill the daemon, and start it on the same port", "")
			t.has(name, "inet_tcp inet_tls uds")
			t.equal(before, t.transports(name), "transports of %s", name)

			t.must(d.stop())
			d.start = plain
			t.must(d.run(t.ctx))
			t.step("kill the daemon, and start it without the extension", "")
			t.until(comesBack, name+" is registered, with its first port", func() string {
				if got := t.ports()[name]; got != before[0].Port {
					return fmt.Sprintf("its port is %d", got)
				}
				return ""
			})

			t.must(d.stop())
			d.start = extended
			t.must(d.run(t.ctx))
			t.step("kill the daemon, and start it with the extension again", "")
			t.has(name, "inet_tcp inet_tls uds")
			t.equal(before, t.transports(name), "transports of %s", name)
			m.stillWith(t, s)
			m.over(t, s, byTLS)
		})
}

func severalFallback() []scenario {
	return severally("fallback",
		"with OTP's own epmd the transport that was named first is registered as ever, and found; others are not guessed; when the daemon under test takes its place, all are there",
		"the module could not be used before every EPMD is another",
		func(t *trial, otp int) {
			s, m, plain := t.newNode(nodeS(otp)), t.newNode(nodeM(otp)), t.newNode(short(otp))
			port := t.lookup(s.spec.name).Port
			s.expect(t, "true", "lists:member({ok, {{0,0,0,0}, %d}}, [inet:sockname(P) || P <- erlang:ports()])", port)
			plain.over(t, s, byTCP)
			m.over(t, s, byTCP)
			m.over(t, plain, byTCP)
			m.set(t, "policy", "[inet_tls]")
			m.refuses(t, s, "no_transport")
			m.set(t, "assume", "none")
			m.set(t, "policy", "[inet_tls, inet_tcp]")
			m.refuses(t, s, "no_transport")
			m.expect(t, "ok", "application:unset_env(goepmd, assume)")
			m.expect(t, "true", "begin {ok, L} = net_adm:names(), lists:member({\"%s\", %d}, L) end", s.spec.name, port)
			m.expect(t, "not_found", "element(2, goepmd:choose('nobody@%s'))", host)
			_, _, err := s.box.run(t.ctx, nodeS(otp).commandEval(t.daemon().port, "halt(0)"))
			t.must(err)
			t.equal(port, t.lookup(s.spec.name).Port, "port, after a second node of the name was refused")

			d := t.daemon()
			t.must(d.stop())
			d.start = extended(t.stage.run)
			t.must(d.run(t.ctx))
			t.step("end OTP's epmd, and start the daemon with the extension on its port", "")
			t.has(s.spec.name, "inet_tcp inet_tls uds")
			t.equal(port, t.port(s.spec.name, "inet_tcp"), "port for TCP")
			t.until(comesBack, plain.spec.name+" is registered again", func() string {
				if t.ports()[plain.spec.name] == 0 {
					return "it is not"
				}
				return ""
			})
			m.over(t, s, byTLS)
			m.over(t, plain, byTCP)
		})
}
