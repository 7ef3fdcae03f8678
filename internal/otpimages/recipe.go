package otpimages

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// repository is what all our images are called, before the colon.
const repository = "goepmd-otp"

// edition is raised when the way in which images are made changes.
const edition = 2

// recipe says how an image is made. All that shapes it goes into the hash.
type recipe struct {
	// Edition is edition.
	Edition int
	// Name is what comes behind the colon: "27".
	Name string
	// Tried are the versions of OTP to which the suite's scenarios were played, the newest
	// last: Debian's of erlang-base, which begin with OTP's own. Moves says that Debian's
	// suite is not released yet, so that anything may come.
	Tried []string
	Moves bool
	// Pull is the image to pull, if a registry answers. Empty is none. Its tag names one of
	// the versions.
	Pull string
	// Suite is Debian's suite, Packages what is taken of it, and Options what
	// mmdebstrap is told besides.
	Suite    string
	Packages []string
	Options  []string
	// Settings go into the image's configuration.
	Settings []string
	// Proofs are commands that must run in it, besides erl and erlc.
	Proofs []string `json:"-"`
}

// base is in every image: a shell, some tools, and what TLS distribution needs.
// erlang-base holds the compiler.
var base = []string{
	"base-files", "dash", "coreutils", "sed",
	"erlang-base", "erlang-ssl", "erlang-crypto", "erlang-public-key", "erlang-asn1",
}

// options are those of every image. No script of a package is run, so there is no
// list of users: root is put in by hand. What only people read is removed at the end: to
// leave it out by --dpkgopt=path-exclude costs more than half of the time.
var options = []string{
	"--variant=extract", "--mode=root",
	`--extract-hook=rm -rf "$1/usr/share/doc" "$1/usr/share/man" "$1/usr/share/locale"`,
	`--extract-hook=echo root:x:0:0:root:/root:/bin/sh >"$1/etc/passwd"; echo root:x:0: >"$1/etc/group"`,
}

// utf8 is for Elixir, which asks for it.
const utf8 = "ENV LANG=C.UTF-8"

// rabbitPath has the scripts of RabbitMQ before Debian's wrappers of them.
const rabbitPath = "ENV PATH=/usr/lib/rabbitmq/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// The versions of the images of bookworm and of trixie.
var (
	tried25 = []string{"25.2.3+dfsg-1+deb12u4"}
	tried27 = []string{"27.3.4.1+dfsg-1+deb13u4"}
)

func otp(release, suite string, tried ...string) recipe {
	return recipe{
		Edition: edition, Name: release, Tried: tried, Suite: suite,
		Packages: base, Options: options, Settings: []string{utf8},
	}
}

// pulled is the same, but pulled where a registry answers.
func (r recipe) pulled(version string) recipe {
	r.Pull = "erlang:" + version
	return r
}

// moving is the same of a suite that is not released: such a one is signed for some days
// only, and a mirror may lag.
func (r recipe) moving() recipe {
	r.Moves = true
	r.Options = append(slices.Clone(r.Options), `--aptopt=Acquire::Check-Valid-Until "false"`)
	return r
}

// recipes are all images.
var recipes = []recipe{
	otp("23", "bullseye", "23.2.6+dfsg-1+deb11u1").pulled("23.2.6"),
	otp("25", "bookworm", tried25...).pulled("25.2.3"),
	// Debian has mended half of what later versions of OTP have, and no image of a registry
	// does the same.
	otp("27", "trixie", tried27...),
	otp("29", "forky", "29.1.1+dfsg-1", "29.1.2+dfsg-1").pulled("29.1.2").moving(),
	{
		Edition: edition, Name: "apps", Tried: tried25, Suite: "bookworm",
		Packages: slices.Concat(base, []string{
			"elixir", "rabbitmq-server",
			// The scripts of RabbitMQ call these.
			"grep", "mawk", "procps", "hostname",
		}),
		// Debian's wrappers in /usr/sbin change to a user of their own; the scripts that
		// they wrap come first in the path, and run as root.
		Options:  slices.Concat(options, []string{`--extract-hook=ln -s mawk "$1/usr/bin/awk"`}),
		Settings: []string{utf8, rabbitPath},
		Proofs:   []string{"elixir --version", "rabbitmqctl version", "rabbitmq-queues help", "sh -n /usr/lib/rabbitmq/bin/rabbitmq-server"},
	},
	{
		// The same of a later Debian, and a server of XMPP. Debian's ejabberdctl runs as a
		// user of its own; a test starts ejabberd by erl.
		Edition: edition, Name: "apps-27", Tried: tried27, Suite: "trixie",
		Packages: slices.Concat(base, []string{
			"elixir", "rabbitmq-server", "ejabberd", "grep", "mawk", "procps", "hostname",
		}),
		Options:  slices.Concat(options, []string{`--extract-hook=ln -s mawk "$1/usr/bin/awk"`}),
		Settings: []string{utf8, rabbitPath},
		Proofs:   []string{"elixir --version", "rabbitmqctl version", "test -d /etc/ejabberd"},
	},
	{
		// Clients of other makers, and what compiles two of them.
		Edition: edition, Name: "clients", Tried: tried25, Suite: "bookworm",
		Packages: slices.Concat(base, []string{
			"erlang-jinterface", "openjdk-17-jdk-headless",
			"erlang-dev", "gcc", "libc6-dev",
			"nmap", "ejabberd", "bash", "grep", "mawk", "procps", "hostname",
		}),
		Options: slices.Concat(options, []string{
			`--extract-hook=ln -s mawk "$1/usr/bin/awk"; cd "$1"/usr/lib/*-linux-gnu && ln -s blas/libblas.so.3 .`,
		}),
		Settings: []string{utf8,
			"ENV PATH=/usr/lib/jvm/java-17-openjdk-amd64/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Proofs: []string{"javac -version", "gcc --version", "nmap --version", "bash -n /usr/sbin/ejabberdctl"},
	},
	{
		// A machine that is run by systemd, for the units in deploy/systemd.
		Edition: edition, Name: "systemd", Tried: tried25, Suite: "bookworm",
		Packages: slices.Concat(base, []string{"systemd", "systemd-sysv", "mount", "util-linux"}),
		Options:  options, Settings: []string{utf8},
		Proofs: []string{"systemd-analyze --version"},
	},
	{
		// Programs that watch their child, for deploy/places.
		Edition: edition, Name: "supervisors", Tried: tried25, Suite: "bookworm",
		Packages: slices.Concat(base, []string{"runit", "s6", "daemontools", "supervisor", "tini", "dumb-init", "catatonit"}),
		Options:  options, Settings: []string{utf8},
		Proofs: []string{"supervisord --version", "tini --version", "dumb-init --version"},
	},
	{
		// Wine, which runs the build for Windows. Bookworm's lacks a library that Go
		// needs.
		Edition: edition, Name: "wine", Tried: tried27, Suite: "trixie",
		Packages: slices.Concat(base, []string{"wine64", "libc-bin"}),
		// A script of the package, which is not run, makes this link.
		Options:  slices.Concat(options, []string{`--extract-hook=ln -s /usr/x86_64-w64-mingw32/lib/zlib1.dll "$1/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/"`}),
		Settings: []string{utf8, "ENV WINEDEBUG=-all", "ENV WINEPREFIX=/wine"},
		Proofs:   []string{"/usr/lib/wine/wine64 --version"},
	},
}

// Names are those of all images.
func Names() []string {
	names := make([]string, len(recipes))
	for i, r := range recipes {
		names[i] = r.Name
	}
	return names
}

func find(name string) (recipe, error) {
	i := slices.IndexFunc(recipes, func(r recipe) bool { return r.Name == name })
	if i < 0 {
		return recipe{}, fmt.Errorf("there is no image %q: there are %s", name, strings.Join(Names(), ", "))
	}
	return recipes[i], nil
}

// ref is the image's name with the hash over its recipe.
func (r recipe) ref() (string, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s:%s-%.6x", repository, r.Name, sha256.Sum256(b)), nil
}

// alias is the image's name without a hash.
func (r recipe) alias() string { return repository + ":" + r.Name }
