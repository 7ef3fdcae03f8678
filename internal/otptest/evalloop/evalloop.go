// Package evalloop asks a running Erlang or Elixir node to evaluate expressions,
// over the node's standard streams: a small loop on the node, and its other end.
package evalloop

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// Erlang is the node's side, for erl -noshell -eval. It says that it is ready, and
// then evaluates each line of standard input, expressions that end with a full stop,
// and answers with a line. The end of its input ends the node.
var Erlang = oneLine(`
Loop = fun Loop(N) ->
  case io:get_line("") of
    eof -> halt(0);
    Line ->
      Answer = try
        {ok, Tokens, _} = erl_scan:string(Line),
        {ok, Exprs} = erl_parse:parse_exprs(Tokens),
        {value, V, _} = erl_eval:exprs(Exprs, []),
        V
      catch C:R -> {'EXIT', C, R}
      end,
      io:format("ANSWER ~w ~0p~n", [N, Answer]),
      Loop(N + 1)
  end
end,
io:format("READY ~s~n", [node()]),
Loop(1).`)

// Elixir is the same for elixir --no-halt -e.
const Elixir = `
loop = fn loop, n ->
  case IO.gets("") do
    line when is_binary(line) ->
      answer =
        try do
          {value, _} = Code.eval_string(line)
          value
        catch
          kind, reason -> {:EXIT, kind, reason}
        end
      IO.puts("ANSWER #{n} #{inspect(answer, limit: :infinity, width: :infinity)}")
      loop.(loop, n + 1)
    _ -> System.halt(0)
  end
end
IO.puts("READY #{node()}")
loop.(loop, 1)`

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", " ") }

// ErrEnded says that the node's output has ended, and so the node.
var ErrEnded = errors.New("the node has ended")

// Loop is the near end. Its methods may be used by several goroutines at once; one
// expression is evaluated at a time.
type Loop struct {
	in      io.Writer
	asking  chan struct{} // holds a token while somebody waits for an answer
	asked   int           // expressions so far; belongs to the holder of the token
	ready   chan string
	answers chan answer
	ended   chan struct{}

	mu      sync.Mutex
	printed []byte
}

type answer struct {
	number int
	text   string
}

// keep is how much of a node's output is kept, in bytes.
const keep = 64 << 10

// Start begins to read a node's output, in a goroutine that ends with the output.
func Start(in io.Writer, out io.Reader) *Loop {
	l := &Loop{
		in:     in,
		asking: make(chan struct{}, 1),
		ready:  make(chan string, 1),
		// One expression at a time is under way. Answers that came after their asker
		// had left are dropped by the next, or here when there are many.
		answers: make(chan answer, 16),
		ended:   make(chan struct{}),
	}
	go l.read(out)
	return l
}

func (l *Loop) read(out io.Reader) {
	defer close(l.ended)
	lines := bufio.NewReader(io.TeeReader(out, l)) // a prompt is printed before its line ends
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return // whatever it was, nothing more will come
		}
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "READY "); ok {
			put(l.ready, name)
		}
		if rest, ok := strings.CutPrefix(line, "ANSWER "); ok {
			number, text, _ := strings.Cut(rest, " ")
			if n, err := strconv.Atoi(number); err == nil {
				put(l.answers, answer{n, text})
			}
		}
	}
}

// put sends unless nobody has taken what was sent for long.
func put[T any](c chan T, v T) {
	select {
	case c <- v:
	default:
	}
}

// Write keeps bytes as something that the node printed: its standard error may
// be written here. It never fails.
func (l *Loop) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.printed = append(l.printed, p...)
	if over := len(l.printed) - keep; over > 0 {
		l.printed = append(l.printed[:0], l.printed[over:]...)
	}
	return len(p), nil
}

// Printed is what the node has printed, the last 64 KiB of it.
func (l *Loop) Printed() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.printed)
}

// Ended is closed when the node's output has ended.
func (l *Loop) Ended() <-chan struct{} { return l.ended }

// Ready waits until the node is up, and gives its name. It fails with [ErrEnded] or
// with the error of the context. It may be called once.
func (l *Loop) Ready(ctx context.Context) (string, error) {
	return wait(ctx, l, l.ready)
}

// Eval evaluates an expression, one line without the full stop, and gives its value as
// the node prints it. It fails with [ErrEnded], with an error of writing, or with
// that of the context; an answer that comes later is dropped.
func (l *Loop) Eval(ctx context.Context, expr string) (string, error) {
	select {
	case l.asking <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { <-l.asking }()
	l.asked++
	if _, err := io.WriteString(l.in, expr+"\n"); err != nil {
		return "", fmt.Errorf("ask the node: %w", err)
	}
	for {
		a, err := wait(ctx, l, l.answers)
		if err != nil || a.number == l.asked {
			return a.text, err
		}
	}
}

// wait takes the next value, even one that came just before the end.
func wait[T any](ctx context.Context, l *Loop, c <-chan T) (v T, err error) {
	select {
	case v = <-c:
		return v, nil
	case <-ctx.Done():
		return v, context.Cause(ctx)
	case <-l.ended:
	}
	select {
	case v = <-c:
		return v, nil
	default:
		return v, ErrEnded
	}
}
