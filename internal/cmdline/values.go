package cmdline

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// The flags of our programs, whose errors are in a user's words. Command.Duration, Int,
// Uint16, Uint8, Int64, Uint64 and String read them, as those of the library.
type (
	// Duration is a time, as in 500ms, 5s or 1h30m, or a number of seconds; none is below
	// zero.
	Duration = cli.FlagBase[time.Duration, Times, durationValue]
	Int      = cli.FlagBase[int, Range, number[int]]
	Int64    = cli.FlagBase[int64, Range, number[int64]]
	Uint8    = cli.FlagBase[uint8, Range, number[uint8]]
	Uint16   = cli.FlagBase[uint16, Range, number[uint16]]
	Uint64   = cli.FlagBase[uint64, Range, number[uint64]]
	// Choice is one of some words.
	Choice = cli.FlagBase[string, Words, choice]
)

// Times are the times that a Duration takes.
type Times struct{ AboveZero bool }

type durationValue struct {
	to *time.Duration
	Times
}

func (durationValue) Create(first time.Duration, to *time.Duration, c Times) cli.Value {
	*to = first
	return &durationValue{to, c}
}

// ToString is empty for zero, so that help does not call it a default.
func (durationValue) ToString(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func (v *durationValue) Set(text string) error {
	d, err := parseTime(text)
	switch {
	case err != nil:
		return err
	case d < 0:
		return errors.New("no time is below zero")
	case d == 0 && v.AboveZero:
		return errors.New("it must be above zero")
	}
	*v.to = d
	return nil
}

func (v *durationValue) Get() any       { return *v.to }
func (v *durationValue) String() string { return v.ToString(*v.to) }

// parseTime reads a time as people write it.
func parseTime(text string) (time.Duration, error) {
	text = strings.ReplaceAll(text, " ", "")
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "s")
	}
	if err != nil {
		return 0, errors.New("a time is written as in 500ms, 5s, 1h30m, or as a number of seconds")
	}
	return d, nil
}

// Range is the whole numbers that a flag takes, both ends included; Most is the highest of
// the type unless it is set.
type Range struct{ Least, Most uint64 }

type integer interface {
	int | int64 | uint8 | uint16 | uint64
}

type number[T integer] struct {
	to *T
	Range
}

func (number[T]) Create(first T, to *T, c Range) cli.Value {
	*to = first
	return &number[T]{to, c}
}

func (number[T]) ToString(n T) string { return fmt.Sprint(n) }

func (v *number[T]) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || uint64(T(n)) != n || T(n) < 0 || n < v.Least || v.Most > 0 && n > v.Most {
		return errors.New("it is a whole number " + v.bounds())
	}
	*v.to = T(n)
	return nil
}

// bounds are the range, for people, to whom the end of a large type means nothing.
func (v *number[T]) bounds() string {
	most := v.Most
	if all := ^T(0); most == 0 && all > 0 && uint64(all) < 1<<32 {
		most = uint64(all)
	}
	if most == 0 {
		return fmt.Sprintf("from %d on", v.Least)
	}
	return fmt.Sprintf("from %d to %d", v.Least, most)
}

func (v *number[T]) Get() any       { return *v.to }
func (v *number[T]) String() string { return v.ToString(*v.to) }

// Words are those that a Choice takes. An empty value stays empty.
type Words []string

type choice struct {
	to *string
	Words
}

func (choice) Create(first string, to *string, w Words) cli.Value {
	*to = first
	return &choice{to, w}
}

func (choice) ToString(s string) string { return s }

func (v *choice) Set(text string) error {
	if !slices.Contains(v.Words, text) {
		return fmt.Errorf("it is one of %s%s", strings.Join(v.Words, ", "), meant(text, "", v.Words))
	}
	*v.to = text
	return nil
}

func (v *choice) Get() any       { return *v.to }
func (v *choice) String() string { return *v.to }
