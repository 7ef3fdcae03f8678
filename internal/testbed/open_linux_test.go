package testbed_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/testbed"
)

// TestOpen: a connection is open until either side has closed it; what has arrived stays.
func TestOpen(t *testing.T) {
	ours, theirs := connect(t)
	require.True(t, ours.Open())
	_, err := theirs.Write([]byte("x"))
	require.NoError(t, err)
	require.True(t, ours.Open())
	got, err := ours.Recv(nil, testbed.Patience)
	require.NoError(t, err)
	require.Equal(t, "x", string(got))
	require.NoError(t, theirs.Close())
	require.Eventually(t, func() bool { return !ours.Open() }, testbed.Patience, time.Millisecond)

	ours, _ = connect(t)
	require.NoError(t, ours.Close())
	require.False(t, ours.Open())
}

// TestAccounts: a process that runs has them, and one that has ended does not.
func TestAccounts(t *testing.T) {
	p, err := testbed.Start(t.Context(), daemon("answers"))
	require.NoError(t, err)
	cpu, err := p.CPU()
	require.NoError(t, err)
	require.Positive(t, cpu)
	resident, err := p.Resident()
	require.NoError(t, err)
	require.Greater(t, resident, int64(1<<18))
	files, err := p.Files()
	require.NoError(t, err)
	require.GreaterOrEqual(t, files, 4)
	p.Stop()
	_, err = p.Resident()
	require.Error(t, err)
	_, err = p.Files()
	require.Error(t, err)
}
