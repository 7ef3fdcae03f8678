package conformance_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/conformance/container"
	"github.com/goepmd/goepmd/conformance/report"
	"github.com/goepmd/goepmd/internal/otpimages"
	"github.com/goepmd/goepmd/internal/otptest"
)

// reportsEnv names a folder for the reports.
const reportsEnv = "GOEPMD_REPORTS"

// atOnce is how many targets are played to at once: most of their time they wait.
const atOnce = 3

// column is a target, the version that it must be like, and what it may do otherwise.
type column struct {
	target     conformance.Target
	otp        int
	settle     time.Duration
	deviations conformance.Deviations
}

// TestEveryTarget plays the whole suite to OTP 23, 25, 27 and 29 in containers, and to our
// image, and writes one report of all.
func TestEveryTarget(t *testing.T) {
	otptest.Heavy(t)
	scenarios, err := conformance.Scenarios()
	require.NoError(t, err)
	columns := append(otpColumns(t), ourColumn(t, scenarios))
	rep := conformance.Report{Began: time.Now(), Scenarios: scenarios, Columns: make([]conformance.Column, len(columns))}
	places := make(chan struct{}, atOnce)
	errs := make([]error, len(columns))
	var all sync.WaitGroup
	for i, c := range columns {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			begun := time.Now()
			r := conformance.Runner{Parallel: 8, Settle: c.settle, Deviations: c.deviations}
			rep.Columns[i], errs[i] = r.Run(t.Context(), c.target, c.otp, scenarios)
			fmt.Printf("%-14s %5.1f s  %v\n", c.target.Name(), time.Since(begun).Seconds(), rep.Columns[i].Count())
		})
	}
	all.Wait()
	rep.Took = time.Since(rep.Began)
	require.NoError(t, errors.Join(errs...))
	write(t, rep)
	require.NoError(t, report.Terminal(os.Stdout, rep, report.Options{}))
	require.True(t, rep.Good(), "see the report above")
	for _, col := range rep.Columns {
		require.Greater(t, col.Count()[conformance.Passed], len(scenarios)*9/10, "%s was asked too little", col.Target)
	}
}

// otpColumns are the versions of OTP whose images are there.
func otpColumns(t *testing.T) []column {
	t.Helper()
	var out []column
	for _, otp := range []int{23, 25, 27, 29} {
		ref, here, err := otpimages.Ref(t.Context(), fmt.Sprint(otp))
		if err != nil || !here {
			otptest.Missing(t, fmt.Sprintf("the image of OTP %d (run: go run ./docker/otp-images; %v)", otp, err))
		}
		target, err := container.New(t.Context(), fmt.Sprintf("OTP %d", otp), ref)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, target.Close()) })
		out = append(out, column{target: target, otp: otp, settle: -1})
	}
	return out
}

// ourColumn is our image. The tests of cmd/epmd play the suite to the program by itself.
func ourColumn(t *testing.T, scenarios []conformance.Scenario) column {
	t.Helper()
	text, err := os.ReadFile("../docs/deviations.yaml")
	require.NoError(t, err)
	deviations, err := conformance.ReadDeviations(text, scenarios)
	require.NoError(t, err)
	image := fmt.Sprintf("goepmd-conformance:%d", os.Getpid())
	command(t, "../docker/image.sh", image)
	t.Cleanup(func() { command(t, "docker", "rmi", image) })
	target, err := container.New(t.Context(), "goepmd image", image)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, target.Close()) })
	return column{target: target, deviations: deviations}
}

func command(t *testing.T, words ...string) {
	t.Helper()
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	require.NoError(t, err, "%q: %s", words, out)
}

// write writes the report in all its forms, if there is a folder for it.
func write(t *testing.T, rep conformance.Report) {
	t.Helper()
	folder := os.Getenv(reportsEnv)
	if folder == "" {
		return
	}
	for name, form := range map[string]func(io.Writer, conformance.Report) error{
		"conformance.html": report.HTML, "conformance.json": report.JSON, "conformance.xml": report.JUnit,
	} {
		f, err := os.Create(filepath.Join(folder, name))
		require.NoError(t, err)
		require.NoError(t, errors.Join(form(f, rep), f.Close()))
	}
	fmt.Printf("reports: %s\n", filepath.Join(folder, "conformance.{html,json,xml}"))
}
