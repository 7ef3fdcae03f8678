package report

import (
	"bytes"
	"encoding/xml"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
)

func TestJUnit(t *testing.T) {
	r := fixture(t)
	var b bytes.Buffer
	require.NoError(t, JUnit(&b, r))
	var all junitSuites
	require.NoError(t, xml.Unmarshal(b.Bytes(), &all), "what a target says must not break the XML")
	require.Equal(t, []int{15, 3, 1, 2}, []int{all.Tests, all.Failures, all.Errors, all.Skipped})
	require.Equal(t, "90.000", all.Time)
	require.Len(t, all.Suites, 3)
	bad := all.Suites[2]
	require.Equal(t, []int{5, 3, 1, 1}, []int{bad.Tests, bad.Failures, bad.Errors, bad.Skipped})
	require.Equal(t, "2026-01-02T03:04:05", bad.Timestamp)
	require.Equal(t, "5.000", bad.Time)

	byName := make(map[string]junitCase)
	for _, c := range bad.Cases {
		byName[c.Name] = c
	}
	again := byName["alive-again"]
	require.Equal(t, "bad.register", again.ClassName)
	require.Equal(t, "1.500", again.Time)
	require.Contains(t, again.Failure.Message, `result: 01 instead of 00 </script><script>alert(1)</script> ]]> \x1b[31m \x00 \xff`)
	require.Contains(t, again.Failure.Text, "{creation:x+1}")
	require.Contains(t, again.Failure.Text, "0001 result  *00")
	require.Contains(t, byName["names-empty"].Error.Message, "could not be started")
	require.Contains(t, byName["stop-by-command"].Skipped.Message, `\x1b`)
	require.Equal(t, "deviates: lists are cut on purpose", all.Suites[1].Cases[1].Out)
	require.Nil(t, all.Suites[1].Cases[1].Failure)
	require.Nil(t, all.Suites[0].Cases[0].Failure)
	require.NotContains(t, b.String(), "\x1b")
}

func TestJUnitOfNothing(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, JUnit(&b, conformance.Report{}))
	var all junitSuites
	require.NoError(t, xml.Unmarshal(b.Bytes(), &all))
	require.Zero(t, all.Tests)
}
