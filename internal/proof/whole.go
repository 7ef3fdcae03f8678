package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// whole is all that `make test` leaves out and CI runs as well.
func whole() ([]stage, error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	// The environment plays the tests that `make test` leaves out, and says where reports go.
	proofEnv := []string{"GOEPMD_PROOF=1", "GOEPMD_REPORTS=" + filepath.Join(here, "bin")}
	return []stage{
		{
			name: "setup", does: "install what is missing",
			command: shell("scripts/setup.sh proof && " + modules + " && go -C tools/kubernetes list -deps -test ./... >/dev/null"),
		},
		{
			name: "images", does: "the images of the real OTP", after: []string{"setup"}, lane: waits,
			command: []string{"go", "run", "./docker/otp-images"}, bound: 40 * time.Minute,
		},
		{
			name: "browsers", does: "the pages in Chromium: playground, status page, report", after: []string{"setup"},
			command: goTest("-p", "1", "./examples/playground", "./epmdhttp", "./conformance/report", "-run", "TestPlayground|TestPage|TestPicture"), env: proofEnv, tests: true,
		},
		{
			name: "targets", does: "every scenario to OTP 23, 25, 27 and 29 and to our image", after: []string{"images"}, lane: waits,
			command: goTestHere("./conformance", "-run", "TestEveryTarget"), env: proofEnv, tests: true,
		},
		{
			name: "nodes", does: "real nodes of OTP 23 to 29, Elixir, RabbitMQ", after: []string{"images"}, lane: waits,
			command: goTestHere("./conformance/nodes", "-run", "TestNodes"), env: proofEnv, tests: true,
		},
		{
			name: "doctor", does: "the doctor looks at broken and healthy machines of real nodes", after: []string{"images"}, lane: waits,
			command: goTestHere("./doctor/lab", "-run", "TestLab", "-parallel", "4"), env: proofEnv, tests: true,
		},
		{
			name: "clients", does: "clients of other makers on both engines: Java, C, nmap, ejabberd; Elixir and RabbitMQ on the portable one", after: []string{"images"}, lane: waits,
			command: goTestHere("./conformance/nodes", "-run", "TestForeignClients"), env: proofEnv, tests: true,
		},
		{
			name: "containers", does: "containers as targets, our image, the compose example, systemd, supervisors", after: []string{"images"}, lane: waits,
			command: goTestHere("-p", "1", "./conformance/container", "./internal/otpimages", "./deploy/systemd", "./deploy/places", "./docker", "./examples",
				"-run", "TestTarget|TestCrash|TestAnotherProgram|TestNewFails|TestExtract|TestUnits|TestSupervisors|TestFirstProcesses|TestImages|TestContainer|TestCompose"),
			env: proofEnv, tests: true,
		},
		{
			name: "faults", does: "what stops OTP's epmd, on it and on ours", after: []string{"setup"}, lane: waits,
			command: goTest("./internal/faults"), env: proofEnv, tests: true,
		},
		{
			name: "soak", does: "churn, lookups and faults mixed, for 60 s", after: []string{"setup"}, lane: waits,
			command: []string{"scripts/soak.sh", "60"},
		},
		{
			name: "vectors", does: "the suite to the portable engine, to sessions at every cut, to the module under wazero", after: []string{"setup"},
			command: goTest("./epmd", "./epmd/session", "./fuzz/wasm/host", "-run", "TestVectors|TestConformance"), env: proofEnv, tests: true,
		},
		{
			name: "wrong", does: "wrong daemons, each of which the suite must notice", after: []string{"setup"},
			command: goTest("./conformance", "-run", "TestWrongDaemonsAreNoticed"), env: proofEnv, tests: true,
		},
		{
			name: "wrong-programs", does: "wrong programs beside OTP's epmd, each of which diff must find", after: []string{"setup"},
			command: goTest("./fuzz/differ", "-run", "TestWrongPrograms"), env: proofEnv, tests: true,
		},
		{
			name: "shells", does: "completion of epmdctl in bash, zsh and fish", after: []string{"setup"},
			command: goTest("./cmd/epmdctl", "-run", "TestShells"), env: proofEnv, tests: true,
		},
		{
			name: "386", does: "the core's tests on 386", after: []string{"setup"}, lane: waits,
			command: goTest(append(under(core), "./fuzz/machine")...), env: on386, tests: true,
		},
		emulated("s390x", append(pure, "./epmd")...),
		emulated("arm", pure...),
		{
			name: "emulated", does: "the daemon on arm64 and riscv64: a tenth of the suite", after: []string{"setup"},
			command: goTest("./internal/platforms", "-run", "TestEmulated"), env: proofEnv, tests: true,
		},
		{
			name: "windows", does: "the build for Windows under wine: the core's tests, a tenth of the suite", after: []string{"images"},
			command: goTestHere("./internal/platforms", "-run", "TestWindows"), env: proofEnv, tests: true,
		},
		{
			name: "cross", does: "builds for every promised system, on one processor each", after: []string{"setup"},
			command: []string{"scripts/cross.sh"},
		},
		{
			name: "reproduce", does: "a release built twice, in two places: the same bytes", after: []string{"setup"},
			command: []string{"scripts/reproduce.sh"},
		},
		{
			name: "release", does: "what a release tells of its version", after: []string{"setup"},
			command: goTestHere("./internal/house", "-run", "TestReleaseVersion"), env: proofEnv, tests: true,
		},
		{
			name: "manifests", does: "the manifests, by the types and rules of Kubernetes", after: []string{"setup"},
			command: slices.Insert(goTestHere("./..."), 1, "-C", "tools/kubernetes"), tests: true,
		},
		{
			name: "wasm-core", does: "the core's tests inside WebAssembly, wasip1 and js", after: []string{"setup"},
			command: []string{"scripts/wasm-core.sh"},
		},
		{
			name: "examples", does: "the example of several transports with real nodes, and Dialyzer", after: []string{"setup"},
			command: goTest("./examples", "-run", "TestMultiTransport"), env: proofEnv, tests: true,
		},
		{
			name: "crowds", does: "an upgrade with very many nodes", after: []string{"setup"},
			command: goTest("./internal/upgrade", "-run", "TestUpgradeOfMany"), env: proofEnv, tests: true,
		},
		{
			name: "fuzz", does: "every fuzz target for 6 s", after: []string{"setup"},
			command: []string{"scripts/fuzz.sh", "6"},
		},
		lockstep("27"),
		lockstep("29"),
	}, nil
}

// on386 is the environment of go for 386.
var on386 = []string{"GOARCH=386", "CGO_ENABLED=0"}

// pure are the packages that need no socket.
var pure = []string{"./wire", "./registry/...", "./epmd/session"}

// emulated is the tests of packages on another processor, by qemu.
func emulated(arch string, packages ...string) stage {
	return stage{
		name: arch, does: "tests on " + arch + ", by qemu: " + strings.Join(packages, " "), after: []string{"setup"},
		command: goTest(append([]string{"-exec", "qemu-" + arch + "-static"}, packages...)...),
		env:     []string{"GOARCH=" + arch, "CGO_ENABLED=0"}, tests: true,
	}
}

// lockstep is 100,000 random steps with the epmd of an image of OTP, from a new seed.
func lockstep(otp string) stage {
	return stage{
		name: "lockstep-" + otp, does: "100,000 random steps in lock-step with OTP " + otp, after: []string{"images"},
		command: []string{"scripts/lockstep.sh", "100000"}, env: []string{"LOCKSTEP_OTP=" + otp},
	}
}
