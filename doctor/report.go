package doctor

import (
	"slices"
	"time"
)

// Status is how a step ended.
type Status string

// The statuses.
const (
	OK      Status = "ok"
	Broken  Status = "broken"
	Skipped Status = "skipped" // nothing to see here, which is no fault
)

// The steps' names.
const (
	StepOwnName   = "own-name"
	StepOwnEPMD   = "own-epmd"
	StepNodes     = "nodes"
	StepHost      = "host"
	StepEPMD      = "epmd"
	StepName      = "name"
	StepPort      = "port"
	StepHandshake = "handshake"
	StepCookie    = "cookie"
)

// Step is a part of the way, in the order of walking.
type Step struct {
	// ID is one of the steps' names; with several nodes it comes several times.
	ID string `json:"id"`
	// What is looked at, as people read it: "EPMD of db1".
	What string `json:"what"`
	// Status is how it ended, empty while it lasts.
	Status Status `json:"status"`
	// Seen is what was seen.
	Seen string `json:"seen"`
	// Took is how long it took, in nanoseconds as JSON.
	Took time.Duration `json:"took_ns"`
}

// Finding is something that keeps nodes from finding each other.
type Finding struct {
	// Code says what it is, for programs.
	Code Code `json:"code"`
	// Where is the address or the name that it is about.
	Where string `json:"where"`
	// Seen is what was seen, and Do what to do, as sentences.
	Seen string `json:"seen"`
	Do   string `json:"do"`
}

// Report is what an examination found.
type Report struct {
	// Target is the node that was asked for, empty for this machine.
	Target string `json:"target"`
	// Port is that of EPMD.
	Port uint16 `json:"port"`
	// Steps are those that were walked, and Findings what is wrong, each in the order of
	// walking. No findings is good health.
	Steps    []Step    `json:"steps"`
	Findings []Finding `json:"findings"`
	// Unseen is what was not looked at or not compared, as sentences.
	Unseen []string `json:"unseen"`
}

// Healthy says that nothing is wrong, as far as can be seen from here.
func (r Report) Healthy() bool { return len(r.Findings) == 0 }

// Has says whether a report has a finding with a code.
func (r Report) Has(c Code) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Code == c })
}
