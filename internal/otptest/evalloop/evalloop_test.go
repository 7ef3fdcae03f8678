package evalloop

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fake is a node: what it is asked, and where it prints.
func fake(t *testing.T) (l *Loop, asked *bufio.Reader, prints *io.PipeWriter) {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	t.Cleanup(func() { _, _ = outW.Close(), inR.Close() })
	return Start(inW, outR), bufio.NewReader(inR), outW
}

func TestEval(t *testing.T) {
	l, asked, prints := fake(t)
	go func() {
		_, _ = fmt.Fprintf(prints, "noise\nREADY a@b\n")
		for i := 1; i <= 2; i++ {
			line, _ := asked.ReadString('\n')
			_, _ = fmt.Fprintf(prints, "more noise\nANSWER %d <%s>\n", i, strings.TrimSpace(line))
		}
		_ = prints.Close()
	}()
	ctx := t.Context()
	name, err := l.Ready(ctx)
	require.NoError(t, err)
	require.Equal(t, "a@b", name)
	for _, expr := range []string{"one.", "two."} {
		got, err := l.Eval(ctx, expr)
		require.NoError(t, err)
		require.Equal(t, "<"+expr+">", got)
	}
	<-l.Ended()
	require.Equal(t, "noise\nREADY a@b\nmore noise\nANSWER 1 <one.>\nmore noise\nANSWER 2 <two.>\n", l.Printed())
}

// TestLateAnswer: an answer after its asker has left is not taken for that of the
// next.
func TestLateAnswer(t *testing.T) {
	l, asked, prints := fake(t)
	go func() {
		_, _ = asked.ReadString('\n')
		_, _ = asked.ReadString('\n')
		_, _ = fmt.Fprintf(prints, "ANSWER 1 late\nANSWER 2 right\n")
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := l.Eval(ctx, "slow.")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	got, err := l.Eval(t.Context(), "next.")
	require.NoError(t, err)
	require.Equal(t, "right", got)
}

func TestEnd(t *testing.T) {
	l, asked, prints := fake(t)
	go func() {
		_, _ = asked.ReadString('\n')
		_, _ = fmt.Fprintf(prints, "last words")
		_ = prints.Close()
	}()
	_, err := l.Eval(t.Context(), "halt().")
	require.ErrorIs(t, err, ErrEnded)
	_, err = l.Ready(t.Context())
	require.ErrorIs(t, err, ErrEnded)
	require.Equal(t, "last words", l.Printed())
}

// TestKeep: of a node that prints without end, the last is kept.
func TestKeep(t *testing.T) {
	l, _, prints := fake(t)
	for range 3 {
		_, err := prints.Write([]byte(strings.Repeat("x", keep)))
		require.NoError(t, err)
	}
	_, err := prints.Write([]byte("end"))
	require.NoError(t, err)
	require.NoError(t, prints.Close())
	<-l.Ended()
	require.Len(t, l.Printed(), keep)
	require.True(t, strings.HasSuffix(l.Printed(), "xend"))
}
