package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/internal/cmdline"
	"github.com/goepmd/goepmd/internal/fields"
	"github.com/goepmd/goepmd/wire"
)

// replies are what a reply may be one to.
var replies = map[string]wire.Tag{
	"alive2": 'x', "port2": 'z', "names": 'n', "dump": 'd', "kill": 'k', "stop": 's',
	"alive3": 'X', "port3": 'Z', "names3": 'N', "dump3": 'D', "kill3": 'K', "stop3": 'S',
}

func replyNames() []string { return slices.Sorted(maps.Keys(replies)) }

func decodeCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "decode", Usage: "name every byte of a request or a reply", ArgsUsage: "HEX...",
		Description: "Takes bytes in hexadecimal, as packet sniffers and logs write them (blanks, colons, \\x\n" +
			"and 0x may stand between), from the command line or, for -, from standard input. It\n" +
			"says what OTP's epmd would do with a request.\n\n" +
			"   epmdctl decode 0014 78 99e9 4d 00 0006 0005 0007 61747269786965 0000\n" +
			"   epmdctl decode -reply port2 7701\n\n" +
			"Exit status: 0 if it is well formed, 1 if not, 2 if it is not hexadecimal.",
		Flags: []cli.Flag{
			outputFlag(),
			&cmdline.Choice{Name: "reply", Usage: "it is a reply of this `KIND`: " + strings.Join(replyNames(), ", "), Config: replyNames(), DefaultText: "a guess"},
			&cli.BoolFlag{Name: "request", Usage: "it is a request", DefaultText: "a guess"},
		},
		Action: func(_ context.Context, c *cli.Command) error { return decode(c, s) },
	}
}

func decode(c *cli.Command, s streams) error {
	text := strings.Join(c.Args().Slice(), " ")
	if text == "-" {
		const most = 1 << 20 // a list of ten thousand names, twice
		b, err := io.ReadAll(io.LimitReader(s.in, most))
		if err != nil {
			return err
		}
		text = string(b)
	}
	if strings.TrimSpace(text) == "" {
		return errors.New("give the bytes in hexadecimal, or - for standard input")
	}
	b, err := unhex(text)
	if err != nil {
		return err
	}
	m, err := read(c, b)
	if err != nil {
		return err
	}
	if asJSON(c) {
		err = writeJSON(s.out, m)
	} else {
		err = showMessage(s, b, m)
	}
	if err == nil && m.Fault != "" {
		err = status{code: answeredNo}
	}
	return err
}

func read(c *cli.Command, b []byte) (fields.Message, error) {
	kind := c.String("reply")
	switch {
	case kind != "" && c.Bool("request"):
		return fields.Message{}, errors.New("-request and -reply: it is one of them")
	case kind != "":
		return fields.Reply(b, replies[kind]), nil
	case c.Bool("request"):
		return fields.Request(b), nil
	}
	return fields.Guess(b), nil
}

// between is what may stand between digits.
var between = regexp.MustCompile(`0[xX]|\\[xX]|[\s:,-]+`)

func unhex(text string) ([]byte, error) {
	b, err := hex.DecodeString(between.ReplaceAllString(text, ""))
	var wrong hex.InvalidByteError
	switch {
	case errors.As(err, &wrong):
		return nil, fmt.Errorf("it is not hexadecimal: %q is no digit", rune(wrong))
	case err != nil:
		return nil, errors.New("it is not hexadecimal: a byte has two digits, and the last has one")
	}
	return b, nil
}

// showMessage writes a message, a line or more for each field.
func showMessage(s streams, b []byte, m fields.Message) error {
	const perLine = 8
	p := s.paint()
	name := m.Name
	if name == "" {
		name = "no message"
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s, %s\n\n", p.bold(name), count(len(b), "byte"))
	var rows [][]string
	for _, f := range m.Fields {
		for i, part := range slices.Collect(slices.Chunk(f.Bytes, perLine)) {
			row := []string{fmt.Sprintf("%4d", f.At+i*perLine), fmt.Sprintf("% x", part)}
			if i == 0 {
				row = append(row, f.Name, f.Value, f.Note)
			}
			rows = append(rows, row)
		}
	}
	if err := table(&out, nil, rows); err != nil {
		return err
	}
	out.WriteByte('\n')
	if m.Fault != "" {
		fmt.Fprintf(&out, "%s %s\n", p.bad("Fault ("+m.Label+"):"), m.Fault)
	}
	if m.OTP != "" {
		out.WriteString(wrap("OTP's epmd "+m.OTP+".", "", textWidth))
	}
	_, err := s.out.Write(out.Bytes())
	return err
}
