package metrics

import "runtime/debug"

const module = "github.com/goepmd/goepmd"

func (o Options) version() string {
	if o.Version != "" {
		return o.Version
	}
	return Version()
}

// Version is the version of the goepmd module in this program, "development" if none is
// known.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "development"
	}
	v := ""
	if info.Main.Path == module {
		v = info.Main.Version
	}
	for _, dep := range info.Deps {
		if dep.Path == module {
			v = dep.Version
		}
	}
	if v == "" || v == "(devel)" {
		return "development"
	}
	return v
}
