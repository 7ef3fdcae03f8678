package epmd_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/transcript"
)

// embedded is a server of this process, for transcripts.
type embedded struct {
	ln    net.Listener
	ended chan error
}

func (e embedded) Port() uint16                   { return uint16(e.ln.Addr().(*net.TCPAddr).Port) }
func (e embedded) Open() (transcript.Conn, error) { return transcript.Dial(e.ln.Addr().String()) }

// Exit is the status that a program would end with.
func (e embedded) Exit() (int, error) {
	select {
	case err := <-e.ended:
		if errors.Is(err, epmd.ErrKilled) {
			return 0, nil
		}
		return 1, err
	case <-time.After(10 * time.Second):
		return 0, errors.New("the server does not end")
	}
}

// TestVectors holds an embedded server to what OTP's epmd was recorded doing.
func TestVectors(t *testing.T) {
	scenarios, err := transcript.Standard()
	require.NoError(t, err)
	require.NotEmpty(t, scenarios)
	for _, sc := range scenarios {
		t.Run(sc.Name, func(t *testing.T) {
			t.Parallel()
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			s := &epmd.Server{RelaxedCommandCheck: sc.Relaxed}
			e := embedded{ln, make(chan error, 1)}
			go func() { e.ended <- s.Serve(ln) }()
			require.NoError(t, transcript.Play(sc, e))
			require.NoError(t, s.Close())
		})
	}
}
