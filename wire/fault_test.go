package wire_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

var faults = []struct {
	fault       wire.Fault
	label, text string
}{
	{wire.FaultSize, "size", "is 0 or above 3057"},
	{wire.FaultExcess, "excess", "is followed by more bytes than it announces"},
	{wire.FaultTag, "tag", "is not a known one"},
	{wire.FaultShort, "short", "runs past the end of the message"},
	{wire.FaultEmpty, "empty", "is empty"},
	{wire.FaultNUL, "nul", "holds a NUL byte"},
	{wire.FaultUTF8, "utf8", "is not valid UTF-8"},
	{wire.FaultTooLong, "too_long", "is too long"},
	{wire.FaultSyntax, "syntax", "is not of the expected form"},
	{wire.FaultIncomplete, "incomplete", "is not complete yet"},
}

func TestFault(t *testing.T) {
	require.Len(t, faults, wire.NumFaults-1, "every fault is in the table")
	labels, texts := map[string]bool{"none": true, "unknown": true}, map[string]bool{}
	for _, c := range faults {
		assert.Equal(t, c.label, c.fault.String())
		assert.Regexp(t, `^[a-z0-9_]+$`, c.fault.String())
		assert.Equal(t, c.text, c.fault.Error())
		assert.NotContains(t, labels, c.label, "a label of its own")
		assert.NotContains(t, texts, c.text, "a text of its own")
		labels[c.label], texts[c.text] = true, true
		assert.Positive(t, c.fault)
		assert.Less(t, int(c.fault), wire.NumFaults)
	}
	assert.Equal(t, "none", wire.Fault(0).String())
	assert.Equal(t, "has an unknown fault", wire.Fault(0).Error())
	for f := wire.NumFaults; f < 256; f++ {
		assert.Equal(t, "unknown", wire.Fault(f).String())
		assert.Equal(t, "has an unknown fault", wire.Fault(f).Error())
	}
}

func TestField(t *testing.T) {
	names := map[wire.Field]string{
		wire.FieldLength: "length", wire.FieldTag: "tag", wire.FieldMessage: "message", wire.FieldName: "name",
		wire.FieldExtra: "extra", wire.FieldResult: "result", wire.FieldCreation: "creation",
		wire.FieldPort: "port", wire.FieldLine: "line", wire.FieldText: "text",
		wire.FieldTransport: "transport", wire.FieldTransports: "transports", wire.FieldBlock: "block",
	}
	requireNames(t, names)
}

func TestMessage(t *testing.T) {
	names := map[wire.Message]string{
		wire.MessagePacket: "packet", wire.MessageAlive2Req: "ALIVE2_REQ", wire.MessageAlive2Resp: "ALIVE2_RESP",
		wire.MessagePortPlease2Req: "PORT_PLEASE2_REQ", wire.MessagePort2Resp: "PORT2_RESP",
		wire.MessageNamesReq: "NAMES_REQ", wire.MessageNamesResp: "NAMES_RESP",
		wire.MessageDumpReq: "DUMP_REQ", wire.MessageDumpResp: "DUMP_RESP",
		wire.MessageKillReq: "KILL_REQ", wire.MessageKillResp: "KILL_RESP",
		wire.MessageStopReq: "STOP_REQ", wire.MessageStopResp: "STOP_RESP",
		wire.MessageAlive3Req: "ALIVE3_REQ", wire.MessageAlive3Resp: "ALIVE3_RESP",
		wire.MessagePortPlease3Req: "PORT_PLEASE3_REQ", wire.MessagePort3Resp: "PORT3_RESP",
		wire.MessageNames3Req: "NAMES3_REQ", wire.MessageNames3Resp: "NAMES3_RESP",
		wire.MessageDump3Req: "DUMP3_REQ", wire.MessageDump3Resp: "DUMP3_RESP",
		wire.MessageKill3Req: "KILL3_REQ", wire.MessageKill3Resp: "KILL3_RESP",
		wire.MessageStop3Req: "STOP3_REQ", wire.MessageStop3Resp: "STOP3_RESP",
	}
	requireNames(t, names)
}

// requireNames wants these names for these values, "unknown" for all others.
func requireNames[T interface {
	~uint8
	comparable
	String() string
}](t *testing.T, names map[T]string) {
	t.Helper()
	seen := map[string]bool{}
	for v := range 256 {
		name, known := names[T(v)]
		if !known {
			require.Equal(t, "unknown", T(v).String())
			continue
		}
		require.Equal(t, name, T(v).String())
		require.False(t, seen[name], name)
		seen[name] = true
	}
}

func TestError(t *testing.T) {
	for _, c := range []struct {
		err  wire.Error
		text string
	}{
		{wire.Error{Message: wire.MessageAlive2Req, Field: wire.FieldName, Fault: wire.FaultNUL}, "ALIVE2_REQ: name holds a NUL byte"},
		{wire.Error{Message: wire.MessageAlive2Req, Field: wire.FieldExtra, Fault: wire.FaultShort}, "ALIVE2_REQ: extra runs past the end of the message"},
		{wire.Error{Message: wire.MessagePacket, Field: wire.FieldLength, Fault: wire.FaultSize}, "packet: length is 0 or above 3057"},
		{wire.Error{Message: wire.MessagePortPlease2Req, Field: wire.FieldName, Fault: wire.FaultUTF8}, "PORT_PLEASE2_REQ: name is not valid UTF-8"},
		{wire.Error{Message: wire.MessageStopResp, Field: wire.FieldText, Fault: wire.FaultIncomplete}, "STOP_RESP: text is not complete yet"},
		{wire.Error{Message: 200, Field: 200, Fault: 200}, "unknown: unknown has an unknown fault"},
	} {
		require.EqualError(t, &c.err, c.text)
		require.Equal(t, error(c.err.Fault), errors.Unwrap(&c.err))
	}
	require.EqualError(t, wire.ErrUnknownTag, "packet: tag is not a known one")
}

func TestErrorWrapped(t *testing.T) {
	_, err := wire.ParseNamesReq(nil)
	requireFault(t, fmt.Errorf("from a peer: %w", err), wire.Error{
		Message: wire.MessageNamesReq, Field: wire.FieldTag, Fault: wire.FaultTag,
	})
}
