package differ

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/fuzz/model"
	"github.com/goepmd/goepmd/fuzz/property"
	"github.com/goepmd/goepmd/wire"
)

// wrongDaemons are the model, each with one thing wrong.
var wrongDaemons = map[string]func(*modelled){
	// Silence.
	"lists are silent":                     replies("n", func(string) string { return "" }),
	"dumps are silent":                     replies("d", func(string) string { return "" }),
	"lists are reset":                      resets('n', 0),
	"dumps are reset":                      resets('d', 0),
	"lookups are reset":                    resets('z', 0),
	"lists and lookups of nodes are reset": func(d *modelled) { resets('n', 0)(d); resets('z', 2)(d) },
	"a refused stop is silent":             replies("s", func(r string) string { return strings.TrimPrefix(r, "NOEXISTSTOPPED") }),
	"an unknown name is silent":            replies("z", func(r string) string { return strings.TrimPrefix(r, "w\x01") }),
	"lists are silent after 2000":          func(d *modelled) { d.after = late(2000, "n", "") },

	// Fields that are always the same.
	"the type is 77":           lookedUp(2+2, 77),
	"the protocol is 0":        lookedUp(2+3, 0),
	"the highest version is 6": lookedUp(2+4, 0, 6),
	"the lowest version is 5":  lookedUp(2+6, 0, 5),
	"type, protocol and lowest are usual": func(d *modelled) {
		lookedUp(4, 77, 0)(d)
		usual := d.after
		lookedUp(8, 0, 5)(d)
		d.after = both(usual, d.after)
	},
	"the high byte of ports is 0":       lookedUp(2, 0),
	"the creation is always the first":  counts(func(_, first uint32) uint32 { return first }),
	"a creation of 16 bits is always 1": replies("x", func(r string) string { return changed(r, 'y', 3, 1) }),
	"a refused creation is 0":           replies("x", func(r string) string { return strings.Replace(r, "v\x01\x00\x00\x00c", "v\x01\x00\x00\x00\x00", 1) }),
	"lists tell a port one too high": func(d *modelled) {
		d.after = func(d *modelled, body string, a *model.Answer) {
			if body[0] == 'n' || body[0] == 'd' {
				a.Reply = changed(a.Reply, 0, 3, byte(d.Daemon.Port)+1)
			}
		}
	},
	"a refusal looks like a registration":  replies("x", func(r string) string { return changed(r, 'v', 1, 0) }),
	"the exit status after a kill is 1":    func(d *modelled) { d.status = 1 },
	"version 7 gets a creation of 16 bits": narrowFor7,

	// Counters.
	"the counter stops at the third life":  counts(func(now, first uint32) uint32 { return min(now, first+2) }),
	"the counter stops at the eighth life": counts(func(now, first uint32) uint32 { return min(now, first+7) }),
	"the counter goes up by two":           counts(func(now, first uint32) uint32 { return first + 2*(now-first) }),
	"the counter goes down":                counts(func(now, first uint32) uint32 { return first - (now - first) }),
	"a name is forgotten when it ends": func(d *modelled) {

		d.instead = func(d *modelled, _ string) (a model.Answer, done bool) { d.Old = nil; return a, false }
	},

	// Order.
	"lists have the oldest first":    lists(func(*modelled) bool { return true }),
	"lists turn from three names on": lists(func(d *modelled) bool { return len(d.Live) > 2 }),
	"dumps have the last old name first": func(d *modelled) {
		d.instead = dumps(func(old []model.Entry) []model.Entry { slices.Reverse(old); return old })
	},
	"dumps lack the oldest old name": func(d *modelled) {
		d.instead = dumps(func(old []model.Entry) []model.Entry { return old[min(1, len(old)):] })
	},
	"lists leave out a name of two lines": replies("n", func(r string) string { return strings.Replace(r, "name b at port 5", "", 1) }),
	"lists leave out the last node": func(d *modelled) {
		d.instead = withLive(func(l []model.Entry) []model.Entry { return l[:max(0, len(l)-1)] })
	},

	// Limits that are off by one.
	"names of 255 characters are refused": refuses(func(r wire.Alive2Req) bool { n, _ := model.Chars(string(r.Name)); return n == 255 }),
	"names of 256 characters are taken": takes(func(r wire.Alive2Req) bool {
		n, ok := model.Chars(string(r.Name))
		return n == 256 && ok && len(r.Name) <= 1020
	}),
	"extra fields of 1020 bytes are refused":                refuses(func(r wire.Alive2Req) bool { return len(r.Extra) == 1020 }),
	"extra fields of 1021 bytes are taken":                  takes(func(r wire.Alive2Req) bool { return len(r.Extra) == 1021 }),
	"the empty name is refused":                             refuses(func(r wire.Alive2Req) bool { return len(r.Name) == 0 || string(r.Name[1:]) == "" && r.Name[0] == 'A' }),
	"surrogates are taken":                                  takes(func(r wire.Alive2Req) bool { return bytes.Contains(r.Name, []byte("\xed\xa0\x80")) }),
	"names of 254 characters are not found":                 finds(func(name string) bool { n, _ := model.Chars(name); return n == 254 }, ""),
	"names of 255 characters are not looked up but unknown": finds(func(name string) bool { n, ok := model.Chars(name); return ok && n == 255 }, "w\x01"),
	"a request of the longest length is closed": func(d *modelled) {
		d.instead = func(_ *modelled, body string) (a model.Answer, done bool) {
			return a, len(body) == wire.MaxPacketLen-wire.HeaderLen
		}
	},

	// Contents.
	"no extra field is told":      replies("z", func(r string) string { return withoutExtra(r, 0) }),
	"an extra field loses a byte": replies("z", func(r string) string { return withoutExtra(r, 1) }),
	"names are found in any case": func(d *modelled) {
		d.instead = func(_ *modelled, body string) (model.Answer, bool) {
			if body[0] != 'z' {
				return model.Answer{}, false
			}
			return d.Daemon.Answer(0, 0, true, "z"+strings.ToLower(body[1:])), true
		}
	},
	"data does not end a registration": func(d *modelled) { d.deaf = true },
	"a stop does not end it":           func(d *modelled) { d.after = func(_ *modelled, _ string, a *model.Answer) { a.Cut = nil } },
	"stops are not allowed":            func(d *modelled) { d.Relaxed = false },
	"it ends after 500 requests": func(d *modelled) {
		d.after = func(d *modelled, _ string, a *model.Answer) { a.Ends = a.Ends || d.had > 500 }
	},
	"every 100th lookup finds nothing": func(d *modelled) { d.after = everyLookup(100, "w\x01") },
}

// TestWrongDaemons: each of them is found from any seed, within as many steps as two programs
// are played in half a minute.
func TestWrongDaemons(t *testing.T) {
	const steps, seeds = 50_000, 3
	r := rand.New(rand.NewPCG(uint64(property.Seed(t)), 0))
	suite := suiteSeeds(t)
	for name, breakIt := range wrongDaemons {
		for range seeds {
			seed := r.Uint64()
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				var found *Difference
				run := Run{
					Start: func(_ context.Context, relaxed bool) (*Pair, error) {
						wrong := newModelled(relaxed)
						breakIt(wrong)
						return &Pair{A: NewSim(relaxed, wire.Standard), B: wrong, Settle: -1}, nil
					},
					Steps: steps, Seed: seed, Seeds: suite,
					Found: func(d *Difference) {
						found = d
						stop()
					},
				}
				s, err := run.Play(ctx)
				require.ErrorIs(t, err, ErrDiffers, "seed %d: %d conversations, %d steps", seed, s.Conversations, s.Steps)
				require.Positive(t, s.Differences, "seed %d: %s", seed, found)
				if found.Before == 0 {
					require.LessOrEqual(t, len(found.Conversation.Steps), 6, "seed %d: it is not shrunk: %s", seed, found)
				}
				t.Logf("seed %d: found within %d steps", seed, s.Steps)
			})
		}
	}
	require.GreaterOrEqual(t, len(wrongDaemons), 20)
}

// replies changes the replies to requests with the tags.
func replies(tags string, to func(reply string) string) func(*modelled) {
	return func(d *modelled) {
		d.after = func(_ *modelled, body string, a *model.Answer) {
			if strings.Contains(tags, body[:1]) {
				a.Reply = to(a.Reply)
			}
		}
	}
}

// resets breaks the connection in place of a reply to requests with the tag that would be
// longer than so many bytes.
func resets(tag byte, longer int) func(*modelled) {
	return func(d *modelled) {
		before := d.resets
		d.resets = func(body string, a model.Answer) bool {
			return body[0] == tag && len(a.Reply) > longer || before != nil && before(body, a)
		}
	}
}

func both(first, second func(*modelled, string, *model.Answer)) func(*modelled, string, *model.Answer) {
	return func(d *modelled, body string, a *model.Answer) { first(d, body, a); second(d, body, a) }
}

// late changes a reply once so many requests were answered.
func late(had int, tag, reply string) func(*modelled, string, *model.Answer) {
	return func(d *modelled, body string, a *model.Answer) {
		if d.had > had && body[:1] == tag {
			a.Reply = reply
		}
	}
}

// everyLookup changes a reply to one of so many lookups.
func everyLookup(n int, reply string) func(*modelled, string, *model.Answer) {
	asked := 0
	return func(_ *modelled, body string, a *model.Answer) {
		if body[0] == 'z' && len(a.Reply) > 2 {
			if asked++; asked%n == 0 {
				a.Reply = reply
			}
		}
	}
}

// changed is a reply that begins with a byte, any if it is 0, with others at a place.
func changed(reply string, first byte, at int, with ...byte) string {
	if len(reply) < at+len(with) || first != 0 && reply[0] != first {
		return reply
	}
	return reply[:at] + string(with) + reply[at+len(with):]
}

// lookedUp has nodes that are found tell the same at a place, whatever they are.
func lookedUp(at int, with ...byte) func(*modelled) {
	return replies("z", func(reply string) string {
		if len(reply) <= 2 {
			return reply
		}
		return changed(reply, 'w', at, with...)
	})
}

// withoutExtra is the reply to a lookup with the extra field shorter by a number of bytes, or
// empty if it is 0.
func withoutExtra(reply string, by int) string {
	if len(reply) <= 2 {
		return reply
	}
	at := 10 + 2 + int(reply[10])<<8 + int(reply[11])
	extra := reply[at+2:]
	if by == 0 || len(extra) == 0 {
		by = len(extra)
	}
	extra = extra[:len(extra)-by]
	return reply[:at] + string([]byte{byte(len(extra) >> 8), byte(len(extra))}) + extra
}

// counts has the counter of a name's life be another, given it and that of the first.
func counts(of func(now, first uint32) uint32) func(*modelled) {
	return func(d *modelled) {
		d.after = func(d *modelled, _ string, a *model.Answer) {
			if a.Outcome.Counter == 0 {
				return
			}
			name := d.Live[0].Node.Name
			first, known := d.firsts[name]
			if !known {
				first = a.Outcome.Counter
				d.firsts[name] = first
			}
			counter := of(a.Outcome.Counter, first)
			a.Reply = registered(a.Reply[0], counter)
		}
	}
}

// registered is the reply to a registration.
func registered(kind byte, counter uint32) string {
	resp := wire.Alive2Resp{Creation: model.Creation(counter, 5)}
	if kind == 'v' {
		resp = wire.Alive2Resp{Extended: true, Creation: counter}
	}
	return string(resp.Append(nil))
}

// narrowFor7 answers nodes of a version above 6 as if it were below.
func narrowFor7(d *modelled) {
	d.after = func(_ *modelled, body string, a *model.Answer) {
		if a.Outcome.Counter > 0 && body[5] == 0 && body[6] == 7 {
			a.Reply = registered('y', a.Outcome.Counter)
		}
	}
}

// withLive answers lists from other nodes than there are.
func withLive(of func([]model.Entry) []model.Entry) func(*modelled, string) (model.Answer, bool) {
	return func(d *modelled, body string) (model.Answer, bool) {
		if body[0] != 'n' {
			return model.Answer{}, false
		}
		names := d.Clone()
		names.Live = of(names.Live)
		return model.Answer{Reply: names.Names(d.Daemon.Port)}, true
	}
}

// lists turns lists round, whenever it says so.
func lists(when func(*modelled) bool) func(*modelled) {
	return func(d *modelled) {
		d.instead = withLive(func(live []model.Entry) []model.Entry {
			if when(d) {
				slices.Reverse(live)
			}
			return live
		})
	}
}

// dumps answers dumps from other remembered names than there are.
func dumps(of func([]model.Entry) []model.Entry) func(*modelled, string) (model.Answer, bool) {
	return func(d *modelled, body string) (model.Answer, bool) {
		if body[0] != 'd' {
			return model.Answer{}, false
		}
		names := d.Clone()
		names.Old = of(names.Old)
		return model.Answer{Reply: names.Dump(d.Daemon.Port)}, true
	}
}

// refuses refuses some registrations, as a daemon does that of a taken name.
func refuses(some func(wire.Alive2Req) bool) func(*modelled) {
	return func(d *modelled) {
		d.instead = func(_ *modelled, body string) (model.Answer, bool) {
			req, err := wire.ParseAlive2Req([]byte(body))
			if err != nil || !some(req) {
				return model.Answer{}, false
			}
			resp := wire.Alive2Resp{Result: 1, Creation: wire.RefusedCreation, Extended: req.Highest >= 6}
			return model.Answer{Kept: true, Reply: string(resp.Append(nil))}, true
		}
	}
}

// takes says that it has registered some nodes that it has refused.
func takes(some func(wire.Alive2Req) bool) func(*modelled) {
	return func(d *modelled) {
		d.after = func(_ *modelled, body string, a *model.Answer) {
			if req, err := wire.ParseAlive2Req([]byte(body)); err == nil && len(a.Outcome.Broken) > 0 && some(req) {
				a.Reply = registered(a.Reply[0], 1000)
			}
		}
	}
}

// finds gives lookups of some names another answer.
func finds(some func(name string) bool, reply string) func(*modelled) {
	return func(d *modelled) {
		d.instead = func(_ *modelled, body string) (model.Answer, bool) {
			return model.Answer{Reply: reply}, body[0] == 'z' && some(strings.TrimSuffix(body[1:], "\x00"))
		}
	}
}
