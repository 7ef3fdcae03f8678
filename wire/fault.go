package wire

// Fault is one way in which bytes fail to be a message. It is an error, and a
// small integer below [NumFaults], fit to index an array of counters.
type Fault uint8

// The faults.
const (
	_ Fault = iota
	// FaultSize: the length field is 0 or above MaxBodyLen.
	FaultSize
	// FaultExcess: more bytes came than the packet has, in the very read that
	// made its length known.
	FaultExcess
	// FaultTag: the tag is none that is known, or not the one asked for.
	FaultTag
	// FaultShort: the message is shorter than its fields need.
	FaultShort
	// FaultEmpty: a field that must not be empty is empty.
	FaultEmpty
	// FaultNUL: a name holds a NUL byte.
	FaultNUL
	// FaultUTF8: a name is not valid UTF-8: overlong, truncated, a surrogate, or
	// above U+10FFFF.
	FaultUTF8
	// FaultTooLong: a field, or the whole message, is longer than the limit.
	FaultTooLong
	// FaultSyntax: text is not of the form that it should have.
	FaultSyntax
	// FaultIncomplete: more bytes must come before a reply can be read.
	FaultIncomplete

	// NumFaults is one more than the highest fault.
	NumFaults = iota
)

var faultLabels = [NumFaults]string{
	"none", "size", "excess", "tag", "short", "empty", "nul", "utf8", "too_long", "syntax", "incomplete",
}

var faultTexts = [NumFaults]string{
	FaultSize:       "is 0 or above 3057",
	FaultExcess:     "is followed by more bytes than it announces",
	FaultTag:        "is not a known one",
	FaultShort:      "runs past the end of the message",
	FaultEmpty:      "is empty",
	FaultNUL:        "holds a NUL byte",
	FaultUTF8:       "is not valid UTF-8",
	FaultTooLong:    "is too long",
	FaultSyntax:     "is not of the expected form",
	FaultIncomplete: "is not complete yet",
}

// String is the fault's label for a counter: one lower-case word.
func (f Fault) String() string {
	if int(f) < len(faultLabels) {
		return faultLabels[f]
	}
	return "unknown"
}

// Error says what is wrong, as the end of a sentence about a field.
func (f Fault) Error() string {
	if int(f) < len(faultTexts) && faultTexts[f] != "" {
		return faultTexts[f]
	}
	return "has an unknown fault"
}

// Field names the part of a message that a fault is about.
type Field uint8

// The fields.
const (
	FieldLength     Field = iota // the length before a request
	FieldTag                     // the tag
	FieldMessage                 // the message as a whole
	FieldName                    // a node's name, or its length
	FieldExtra                   // a node's extra field, or its length
	FieldResult                  // the result of a reply
	FieldCreation                // the creation
	FieldPort                    // a port number
	FieldLine                    // a line of a list
	FieldText                    // the text of a reply to KILL_REQ or STOP_REQ
	FieldTransport               // the name of a transport, or its length
	FieldTransports              // a list of transports as a whole
	FieldBlock                   // a block of a list
)

var fieldNames = [...]string{
	"length", "tag", "message", "name", "extra", "result", "creation", "port", "line", "text",
	"transport", "transports", "block",
}

// String is the field's name, one lower-case word.
func (f Field) String() string {
	if int(f) < len(fieldNames) {
		return fieldNames[f]
	}
	return "unknown"
}

// Message says which message an [Error] is about.
type Message uint8

// The messages.
const (
	MessagePacket Message = iota // a request whose tag is not known yet
	MessageAlive2Req
	MessageAlive2Resp
	MessagePortPlease2Req
	MessagePort2Resp
	MessageNamesReq
	MessageNamesResp
	MessageDumpReq
	MessageDumpResp
	MessageKillReq
	MessageKillResp
	MessageStopReq
	MessageStopResp
	MessageAlive3Req
	MessageAlive3Resp
	MessagePortPlease3Req
	MessagePort3Resp
	MessageNames3Req
	MessageNames3Resp
	MessageDump3Req
	MessageDump3Resp
	MessageKill3Req
	MessageKill3Resp
	MessageStop3Req
	MessageStop3Resp
)

var messageNames = [...]string{
	"packet", "ALIVE2_REQ", "ALIVE2_RESP", "PORT_PLEASE2_REQ", "PORT2_RESP", "NAMES_REQ",
	"NAMES_RESP", "DUMP_REQ", "DUMP_RESP", "KILL_REQ", "KILL_RESP", "STOP_REQ", "STOP_RESP",
	"ALIVE3_REQ", "ALIVE3_RESP", "PORT_PLEASE3_REQ", "PORT3_RESP", "NAMES3_REQ", "NAMES3_RESP",
	"DUMP3_REQ", "DUMP3_RESP", "KILL3_REQ", "KILL3_RESP", "STOP3_REQ", "STOP3_RESP",
}

// String is the protocol's own name of the message.
func (m Message) String() string {
	if int(m) < len(messageNames) {
		return messageNames[m]
	}
	return "unknown"
}

// Error says which field of which message is at fault, and how. It is the
// only type of error that this package returns, always as a pointer; errors.Is
// finds the [Fault] in it.
type Error struct {
	Message Message
	Field   Field
	Fault   Fault
}

// Error reads like "ALIVE2_REQ: name holds a NUL byte".
func (e *Error) Error() string {
	return e.Message.String() + ": " + e.Field.String() + " " + e.Fault.Error()
}

// Unwrap gives the fault.
func (e *Error) Unwrap() error { return e.Fault }
