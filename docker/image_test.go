// Package docker tests our image: what is in it, and how it behaves in a container.
// That it is an EPMD is for the conformance suite to say, which is played to it too.
package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/wire"
)

const (
	// most is what an image may weigh.
	most = 12 << 20
	// patience is for what should happen at once, on a machine that is busy.
	patience = time.Minute
)

// engine is docker, for a test.
func engine(t *testing.T) *dockertest.Pool {
	t.Helper()
	otptest.Heavy(t)
	pool, err := dockertest.NewPool("")
	if err == nil {
		err = pool.Client.Ping()
	}
	if err != nil {
		otptest.Missing(t, fmt.Sprintf("a docker engine (apt-get install docker.io, and start it: %v)", err))
	}
	return pool
}

// build makes the image of an architecture as the script does.
func build(t *testing.T, pool *dockertest.Pool, arch string) string {
	t.Helper()
	name := fmt.Sprintf("goepmd-image-test:%s-%d", arch, os.Getpid())
	out, err := exec.CommandContext(t.Context(), "./image.sh", name, arch).CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Cleanup(func() { require.NoError(t, pool.Client.RemoveImage(name)) })
	return name
}

// TestImages: each image holds one static program of its architecture and nothing
// else, and says what an operator must know.
func TestImages(t *testing.T) {
	pool := engine(t)
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		t.Run(arch, func(t *testing.T) {
			name := build(t, pool, arch)
			image, err := pool.Client.InspectImage(name)
			require.NoError(t, err)
			require.Equal(t, arch, image.Architecture)
			require.Less(t, image.Size, int64(most))
			require.Equal(t, "65534:65534", image.Config.User)
			require.Equal(t, []string{"/epmd"}, image.Config.Entrypoint)
			require.Empty(t, image.Config.Cmd)
			require.Equal(t, []string{"CMD", "/epmd", "-started"}, image.Config.Healthcheck.Test)
			require.Contains(t, image.Config.ExposedPorts, docker.Port("4369/tcp"))
			for _, label := range []string{"title", "description", "source", "documentation", "licenses", "version", "revision"} {
				require.NotEmpty(t, image.Config.Labels["org.opencontainers.image."+label], label)
			}

			files := content(t, pool, name)
			require.Len(t, files, 1, "nothing but the program")
			static(t, files["epmd"], machine)
			played(t, files["epmd"], arch, image.Config.Labels["org.opencontainers.image.version"])
		})
	}
}

// content is what an image holds: files by path.
func content(t *testing.T, pool *dockertest.Pool, name string) map[string][]byte {
	t.Helper()
	var saved bytes.Buffer
	require.NoError(t, pool.Client.ExportImage(docker.ExportImageOptions{Name: name, OutputStream: &saved}))
	archive := files(t, &saved)
	var manifest []struct{ Layers []string }
	require.NoError(t, json.Unmarshal(archive["manifest.json"], &manifest))
	require.Len(t, manifest, 1)
	all := make(map[string][]byte)
	for _, layer := range manifest[0].Layers {
		for p, b := range files(t, bytes.NewReader(archive[layer])) {
			all[p] = b
		}
	}
	return all
}

// files reads an archive.
func files(t *testing.T, r io.Reader) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		if h.Typeflag == tar.TypeDir {
			continue
		}
		all[path.Clean(h.Name)], err = io.ReadAll(in)
		require.NoError(t, err)
	}
}

// static makes sure that a program needs nothing of the system but its kernel.
func static(t *testing.T, program []byte, machine elf.Machine) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(program))
	require.NoError(t, err)
	require.Equal(t, machine, f.Machine)
	require.Equal(t, elf.ET_EXEC, f.Type)
	for _, p := range f.Progs {
		require.NotEqual(t, elf.PT_INTERP, p.Type, "it has a loader")
		require.NotEqual(t, elf.PT_DYNAMIC, p.Type, "it has libraries")
	}
}

// played plays a part of the suite to the program of another architecture, where
// something here can run it. The image of this machine's own is played all of it
// elsewhere.
func played(t *testing.T, program []byte, arch, version string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "epmd")
	require.NoError(t, os.WriteFile(file, program, 0o755))
	run := file
	if arch != "amd64" {
		emulator, err := exec.LookPath("qemu-aarch64-static")
		if err != nil {
			t.Log("SKIPPED: nothing here runs a program for arm64; to get it: apt-get install qemu-user-static")
			return
		}
		run = filepath.Join(dir, "run")
		script := fmt.Sprintf("#!/bin/sh\nexec %s %s \"$@\"\n", emulator, file)
		require.NoError(t, os.WriteFile(run, []byte(script), 0o755))
	}
	out, err := exec.CommandContext(t.Context(), run, "-version").CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(out), " "+version+" (go1.")
	require.Regexp(t, " linux/"+arch+"[,)]", string(out)) // a commit may follow

	all, err := conformance.Scenarios()
	require.NoError(t, err)
	var some []conformance.Scenario
	for _, s := range all {
		if s.Area == "names" {
			some = append(some, s)
		}
	}
	require.NotEmpty(t, some)
	deviations, err := os.ReadFile("../docs/deviations.yaml")
	require.NoError(t, err)
	allowed, err := conformance.ReadDeviations(deviations, all)
	require.NoError(t, err)
	r := conformance.Runner{Parallel: 4, Deviations: allowed}
	col, err := r.Run(t.Context(), conformance.Program(arch, run), 0, some)
	require.NoError(t, err)
	counts := col.Count()
	t.Logf("%s: %v", arch, counts)
	require.Greater(t, counts[conformance.Passed], len(some)*9/10)
	for _, res := range col.Results {
		require.True(t, res.Verdict.Good(), "%s: %s %v", res.Scenario, res.Reason, res.Failure)
	}
}

// TestContainer: the container says that it is healthy, on the port of its
// environment too; it runs without rights, and ends at once when it is stopped.
func TestContainer(t *testing.T) {
	pool := engine(t)
	own, err := pool.Client.Version()
	require.NoError(t, err)
	name := build(t, pool, own.Get("Arch"))
	for title, env := range map[string][]string{"usual port": nil, "another port": {"ERL_EPMD_PORT=24369"}} {
		t.Run(title, func(t *testing.T) {
			repository, tag, _ := strings.Cut(name, ":")
			c, err := pool.RunWithOptions(&dockertest.RunOptions{Repository: repository, Tag: tag, Env: env},
				func(h *docker.HostConfig) {
					h.CapDrop = []string{"ALL"}
					h.ReadonlyRootfs = true
					h.PidsLimit = 64
					h.SecurityOpt = []string{"no-new-privileges"}
				})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, pool.Purge(c)) })
			state := func() docker.State {
				i, err := pool.Client.InspectContainer(c.Container.ID)
				require.NoError(t, err)
				return i.State
			}
			require.Eventually(t, func() bool { return state().Health.Status != "starting" }, patience, 100*time.Millisecond)
			require.Equal(t, "healthy", state().Health.Status)
			require.NoError(t, pool.Client.KillContainer(docker.KillContainerOptions{ID: c.Container.ID, Signal: docker.SIGTERM}))
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			status, err := pool.Client.WaitContainerWithContext(c.Container.ID, ctx)
			require.NoError(t, err)
			require.Equal(t, 128+int(syscall.SIGTERM), status)
		})
	}
}

// dockerCLI calls the engine's own command, and gives what it prints.
func dockerCLI(words ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", words...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// TestContainerRefusesUpgrades: what a container ends with is not replaced: the daemon says
// so to whoever asks, by whatever way, and goes on with its nodes.
func TestContainerRefusesUpgrades(t *testing.T) {
	pool := engine(t)
	own, err := pool.Client.Version()
	require.NoError(t, err)
	name := build(t, pool, own.Get("Arch"))
	remove := func(id string) {
		out, err := dockerCLI("rm", "--force", id)
		require.NoError(t, err, out)
	}
	other, err := dockerCLI("run", "-d", "--network", "none", name)
	require.NoError(t, err, other)
	t.Cleanup(func() { remove(other) })
	for title, tt := range map[string]struct{ options, signals []string }{
		"process 1":                  {nil, []string{"USR2", "HUP"}},
		"below an init":              {[]string{"--init"}, []string{"USR2"}},
		"an init in the machine's":   {[]string{"--init", "--pid", "host"}, []string{"USR2"}},
		"in the machine's processes": {[]string{"--pid", "host"}, []string{"USR2"}},
		"in another's processes":     {[]string{"--pid", "container:" + other}, []string{"USR2"}},
	} {
		t.Run(title, func(t *testing.T) {
			free, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			port := strconv.Itoa(free.Addr().(*net.TCPAddr).Port)
			require.NoError(t, free.Close())
			// It shares the network, so that this test registers from the daemon's machine.
			words := append([]string{"run", "-d", "--network", "host", "-e", "ERL_EPMD_PORT=" + port}, tt.options...)
			id, err := dockerCLI(append(words, name)...)
			require.NoError(t, err, id)
			t.Cleanup(func() { remove(id) })
			c := &epmd.Client{Addr: net.JoinHostPort("127.0.0.1", port)}
			require.Eventually(t, func() bool { _, err := c.Names(t.Context()); return err == nil }, patience, 10*time.Millisecond)
			held, err := c.Register(t.Context(), wire.Node{Name: "held", Port: 9000, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, held.Close()) })
			creation := held.Creation()

			var out string
			require.Eventually(t, func() bool { // the port is there before it can be asked
				out, err = dockerCLI("exec", id, "/epmd", "-upgrade")
				return !strings.Contains(out, "no daemon of this kind")
			}, patience, 10*time.Millisecond)
			require.Error(t, err, out)
			require.Contains(t, out, "the daemon goes on as it is: ")
			for i, signal := range tt.signals {
				out, err = dockerCLI("kill", "--signal", signal, id)
				require.NoError(t, err, out)
				require.Eventually(t, func() bool {
					out, err = dockerCLI("logs", id)
					return err == nil && strings.Count(out, "cannot be replaced while it runs, and goes on") == 2+i
				}, patience, 10*time.Millisecond, signal)
			}
			names, err := c.Names(t.Context())
			require.NoError(t, err)
			require.Len(t, names.Nodes, 1)
			require.True(t, held.Held())
			require.Equal(t, creation, held.Creation(), "it had not to register again")
		})
	}
}

// TestContainerFewProcesses: with too few processes a container ends with a sentence, never
// with a traceback; with as many as docs/deploy.md says it runs, and can be asked.
func TestContainerFewProcesses(t *testing.T) {
	pool := engine(t)
	own, err := pool.Client.Version()
	require.NoError(t, err)
	name := build(t, pool, own.Get("Arch"))
	const threads, ofCommand = 12, 6
	run := func(limit int) string {
		id, err := dockerCLI("run", "-d", "--network", "none", "--no-healthcheck", "--pids-limit", strconv.Itoa(limit), name)
		require.NoError(t, err, id)
		t.Cleanup(func() {
			out, err := dockerCLI("rm", "--force", id)
			require.NoError(t, err, out)
		})
		return id
	}
	for _, limit := range []int{3, threads - 1} {
		id := run(limit)
		out, err := dockerCLI("wait", id)
		require.NoError(t, err, out)
		require.Equal(t, "1", out)
		out, err = dockerCLI("logs", id)
		require.NoError(t, err, out)
		require.Regexp(t, "^epmd: the system gives it no more threads: a daemon needs 12, a command 6; [^\n]*$", out)
	}
	id := run(threads + ofCommand)
	require.Eventually(t, func() bool {
		out, err := dockerCLI("exec", id, "/epmd", "-names")
		return err == nil && strings.Contains(out, "up and running")
	}, patience, 100*time.Millisecond)
}
