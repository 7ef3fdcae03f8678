package conformance_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/epmd"
)

// An EPMD that runs already is asked what it can be asked without starting it.
func Example() {
	scenarios, err := conformance.Scenarios()
	if err != nil {
		log.Fatal(err)
	}
	s := &epmd.Server{Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}
	if s.Port, err = conformance.FreePort(); err != nil {
		log.Fatal(err)
	}
	listeners, err := s.Listen(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Serve(listeners...) }() // until Close
	defer func() { _ = s.Close() }()

	target := conformance.Address("ours", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.Port))
	var r conformance.Runner
	for _, scenario := range scenarios {
		switch scenario.Name {
		case "alive-highest-6", "names-empty", "kill-empty-strict":
			result := r.One(context.Background(), target, 0, scenario)
			fmt.Println(result.Scenario, result.Verdict)
		}
	}
	// Output:
	// alive-highest-6 passed
	// kill-empty-strict skipped
	// names-empty passed
}
