package lab

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/doctor"
	"github.com/goepmd/goepmd/internal/otptest"
)

// setup is some machines, and what is wrong with them.
type setup struct {
	name string
	// story is what is wrong, in a sentence; of a healthy set-up, what looks ill.
	story string
	// cause is the code that the doctor's report must name first; empty for a healthy
	// set-up, of which the report must say nothing.
	cause doctor.Code
	// make makes the machines, and says where the doctor stands and what it is asked.
	make func(w *world) scene
}

// scene is where the doctor is called to.
type scene struct {
	// at is where the doctor stands, ask what it is asked, flags and env how.
	at    *machine
	ask   string
	flags []string
	env   []string
	// side is a node that would be started there. It pings the one that is asked for: this is
	// how the set-up is proved to be broken, or healthy.
	side spec
	// from and ping are where it is started instead, and whom it pings instead, which must be
	// told if ask is empty.
	from *machine
	ping string
	// cure, if there is one, proves the cause of a broken set-up: with nothing else changed,
	// the ping comes through.
	cure cure
}

// cure is what is done, and how the ping is made then, where that differs.
type cure struct {
	do   func()
	ping string
	side *spec
}

// row is a line of the table.
type row struct {
	setup
	asked   string
	found   []doctor.Code
	took    time.Duration
	proved  bool // by a cure, too
	correct bool
}

// codes are those that were found, the first few of them.
func (r *row) codes() string {
	const most = 3
	var all []string
	for i, c := range r.found {
		if i == most {
			all = append(all, "…")
			break
		}
		all = append(all, string(c))
	}
	return strings.Join(all, ", ")
}

// TestLab plays all set-ups.
func TestLab(t *testing.T) {
	otptest.Heavy(t)
	needs(t)
	unpacked.dir = t.TempDir()
	built.epmdctl, built.epmd = build(t, "epmdctl"), build(t, "epmd")
	all := setups()
	rows := make([]*row, len(all))
	t.Run("setups", func(t *testing.T) {
		for i, s := range all {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				rows[i] = &row{setup: s}
				rows[i].play(t)
			})
		}
	})
	rows = slices.DeleteFunc(rows, func(r *row) bool { return r == nil }) // what -run leaves out
	printTable(t, rows)
	if *renew && !t.Failed() {
		require.Len(t, rows, len(all), "only a whole table is written")
		require.NoError(t, os.WriteFile(document, []byte(markdown(rows)), 0o644))
	}
}

// setups are all.
func setups() []setup {
	return slices.Concat(names, epmds, networks, nodes, secrets, apps, healthy)
}

// needs skips the test, or fails it if it is required, where machines cannot be made.
func needs(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		otptest.Missing(t, "root, who alone can make machines of namespaces,")
	}
	for _, program := range []string{"nsenter", "unshare", "ip", "nft", "docker"} {
		if _, err := exec.LookPath(program); err != nil {
			otptest.Missing(t, program)
		}
	}
	otptest.SSL(t)
}

// late is how late a busy machine may make a report.
const late = 5 * time.Second

// built are our programs.
var built struct{ epmdctl, epmd string }

func build(t *testing.T, program string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), program)
	cmd := exec.Command("go", "build", "-o", path, "../../cmd/"+program)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// play makes the set-up, has the doctor look at it, and proves that it is what it is said
// to be.
func (r *row) play(t *testing.T) {
	begun := time.Now()
	w := newWorld(t)
	sc := r.make(w)
	defer func() { t.Logf("all in %v", time.Since(begun).Round(time.Millisecond)) }()
	prove := func() {
		require.Equal(t, r.cause == "", sc.pong(t), "a real node's ping says whether the set-up is what it is said to be")
	}
	// A node loads what TLS takes at its first handshake, which is seconds on a busy machine:
	// the ping has that one.
	overTLS := slices.Contains(sc.side.args, "inet_tls")
	if overTLS {
		prove()
	}
	rep := r.examine(t, sc)
	if !overTLS {
		prove()
	}
	if sc.cured() {
		require.True(t, sc.pong(t), "without the cause, a real node's ping comes through")
		r.proved = true
	}
	var first doctor.Code
	if len(rep.Findings) > 0 {
		first = rep.Findings[0].Code
	}
	r.correct = first == r.cause
	require.Equal(t, r.cause, first, "%s", r.story)
	require.Less(t, r.took, doctor.DefaultTimeout+late, "a report is there within %v, on a machine that is not busy", doctor.DefaultTimeout)
}

// examine runs the doctor.
func (r *row) examine(t *testing.T, sc scene) doctor.Report {
	t.Helper()
	asked := strings.Join(append(slices.Clone(sc.flags), sc.ask), " ")
	r.asked = strings.TrimSpace(strings.ReplaceAll(asked, filepath.Join(sc.at.dir, "files")+"/", ""))
	args := append([]string{built.epmdctl, "doctor", "-o", "json"}, sc.flags...)
	if sc.ask != "" {
		args = append(args, sc.ask)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	cmd := sc.at.command(ctx, args...)
	cmd.Env = append(cmd.Env, sc.env...)
	var errs strings.Builder
	cmd.Stderr = &errs
	begun := time.Now()
	out, err := cmd.Output()
	r.took = time.Since(begun)
	if exit := new(exec.ExitError); err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
		require.NoError(t, err, "%s", &errs)
	}
	var rep doctor.Report
	require.NoError(t, json.Unmarshal(out, &rep), "%s%s", out, &errs)
	t.Logf("%s\ndoctor %s: %.1f s", r.story, r.asked, r.took.Seconds())
	for _, st := range rep.Steps {
		t.Logf("%-7s %s: %s (%v)", st.Status, st.What, st.Seen, st.Took.Round(time.Millisecond))
	}
	for _, f := range rep.Findings {
		r.found = append(r.found, f.Code)
		t.Logf("%s (%s): %s", f.Code, f.Where, f.Seen)
	}
	return rep
}

// cured takes the cause away, if the scene tells how.
func (sc *scene) cured() bool {
	c := sc.cure
	if c.do != nil {
		c.do()
	}
	if c.ping != "" {
		sc.ping = c.ping
	}
	if c.side != nil {
		sc.side = *c.side
	}
	return c.do != nil || c.ping != "" || c.side != nil
}

// pong has a real node ping the other, and says whether that answers.
func (sc scene) pong(t *testing.T) bool {
	t.Helper()
	m, side, ping := sc.at, sc.side, cmp.Or(sc.ping, sc.ask)
	if sc.from != nil {
		m = sc.from
	}
	require.NotEmpty(t, ping, "without a name, the scene must say who pings whom")
	if !strings.Contains(ping, "@") {
		ping += "@" + m.name
	}
	if side.name == "" {
		side.name = "witness"
		if _, host, _ := strings.Cut(ping, "@"); strings.ContainsAny(host, ".:") {
			side.name += "@" + m.addr // which EPMD and TLS do not look at
		}
	}
	// Seconds for a connection; -hidden, so that it leaves no trace.
	side.args = append(slices.Clone(side.args), "-hidden", "-kernel", "net_setuptime", "3", "-eval",
		fmt.Sprintf(`io:format("~nPING ~p~n", [net_adm:ping('%s')]), halt().`, ping))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := m.command(ctx, m.erl(side, "-noshell")...)
	cmd.Env = append(cmd.Env, side.environment()...)
	cmd.WaitDelay = time.Second // the EPMD that it starts keeps its output
	out, _ := cmd.CombinedOutput()
	t.Logf("the ping of %s:\n%s", ping, out)
	return strings.Contains(string(out), "PING pong")
}
