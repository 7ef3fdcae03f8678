package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/doctor"
)

// textWidth is where sentences are broken.
const textWidth = 80

func doctorCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "find out why nodes do not find each other", ArgsUsage: "[NAME[@HOST]]",
		Description: "Walks the way that a node would walk to another: host name, addresses, EPMD there,\n" +
			"name registered, its port, a distribution handshake; and says where the way breaks and\n" +
			"what to do. Run it on the machine whose node does not find the other; without a name it\n" +
			"looks at this machine, what runs on it, and all nodes that are registered on it.\n\n" +
			"   epmdctl doctor rabbit@db1.example.com\n" +
			"   epmdctl doctor\n" +
			"   epmdctl doctor -cookie-file ~/.erlang.cookie rabbit@db1\n" +
			"   epmdctl doctor -o json rabbit@db1 | jq -r '.findings[].code'\n\n" +
			"It changes nothing: EPMD is asked for names, and a node sees a connection that comes to\n" +
			"nothing. As root it sees more of this machine. -timeout bounds all of it.\n" +
			"docs/epmdctl.md lists what it finds.\n\n" +
			"Exit status: 0 if all is well, 1 if it found something, 2 if it could not look.",
		ShellComplete: completeNames,
		Flags: []cli.Flag{
			outputFlag(),
			&cli.BoolFlag{Name: "ipv6", Usage: "as nodes with -proto_dist inet6_tcp, by IPv6 only"},
			&cli.BoolFlag{Name: "tls", Usage: "as nodes with -proto_dist inet_tls"},
			&cli.StringFlag{Name: "cookie-file", Usage: "show the nodes the cookie in a `FILE`, to find out whether they have the same", TakesFile: true},
			&cli.StringFlag{Name: "as", Usage: "ask as the node `NAME@HOST`, for nodes that take certain others only (net_kernel:allow)"},
			&cli.StringFlag{Name: "also-ports", Usage: "where else an EPMD may be, as `PORT,PORT`, besides 4369 and what this machine gives away"},
		},
		Action: func(ctx context.Context, c *cli.Command) error { return examine(ctx, c, s) },
	}
}

func examine(ctx context.Context, c *cli.Command, s streams) error {
	if c.Args().Len() > 1 {
		return errOneName
	}
	name, host, _ := strings.Cut(c.Args().First(), "@")
	host, port, err := place(c, host)
	if err != nil {
		return err
	}
	d := &doctor.Doctor{Port: port, Timeout: c.Duration("timeout"), IPv6: c.Bool("ipv6"), TLS: c.Bool("tls")}
	if v := os.Getenv(envPort); v != "" && v == strconv.Itoa(int(d.Port)) {
		d.PortFrom = envPort
	}
	d.As = c.String("as")
	if d.As != "" && !strings.Contains(d.As, "@") {
		return fmt.Errorf("-as: a node is named as NAME@HOST, not %q", d.As)
	}
	if path := c.String("cookie-file"); path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if d.Cookie = strings.TrimRight(string(b), "\r\n"); d.Cookie == "" { // as a node reads it
			return fmt.Errorf("-cookie-file: %s is empty", path)
		}
	}
	for p := range strings.FieldsFuncSeq(c.String("also-ports"), func(r rune) bool { return r == ',' }) {
		n, ok := portOf(p)
		if !ok {
			return fmt.Errorf("-also-ports: %q is no port", p)
		}
		d.AlsoPorts = append(d.AlsoPorts, n)
	}
	target := c.Args().First()
	if host != "" && name != "" {
		target = name + "@" + host
	}
	if !asJSON(c) {
		d.Progress = s.progress()
	}
	rep, err := d.Examine(ctx, target)
	if err != nil {
		return err
	}
	if asJSON(c) {
		err = writeJSON(s.out, rep)
	} else {
		err = s.findings(rep)
	}
	if err == nil && !rep.Healthy() {
		err = status{code: answeredNo}
	}
	return err
}

// progress writes each step as it ends, and on a terminal which one is under way.
func (s streams) progress() func(doctor.Step) {
	p := s.paint()
	marks := map[doctor.Status]string{doctor.OK: "ok     ", doctor.Broken: "broken ", doctor.Skipped: "-      "}
	if p.terminal {
		marks = map[doctor.Status]string{doctor.OK: p.good("✓ "), doctor.Broken: p.bad("✗ "), doctor.Skipped: p.dim("- ")}
	}
	return func(st doctor.Step) {
		const again = "\r\x1b[K" // over what stands in the line
		switch {
		case st.Status != "" && p.terminal:
			fmt.Fprint(s.out, again)
		case p.terminal:
			fmt.Fprintf(s.out, "%s… %s ", again, st.What)
			return
		case st.Status == "":
			return
		}
		fmt.Fprintf(s.out, "%s%s: %s", marks[st.Status], st.What, st.Seen)
		if st.Took > time.Second {
			fmt.Fprintf(s.out, " (%.1f s)", st.Took.Seconds())
		}
		fmt.Fprintln(s.out)
	}
}

// findings writes what is wrong.
func (s streams) findings(rep doctor.Report) error {
	p := s.paint()
	var b strings.Builder
	b.WriteByte('\n')
	if rep.Healthy() {
		b.WriteString(p.good("All is well, as far as can be seen from here.") + "\n")
	}
	for i, f := range rep.Findings {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s (%s)\n", p.bold(p.bad(string(f.Code))), f.Where)
		b.WriteString(wrap(f.Seen, "    ", textWidth))
		b.WriteString(wrap("What to do: "+f.Do, "    ", textWidth))
	}
	if len(rep.Unseen) > 0 {
		b.WriteString("\n" + wrap(strings.Join(rep.Unseen, " "), "", textWidth))
	}
	_, err := s.out.Write([]byte(b.String()))
	return err
}
