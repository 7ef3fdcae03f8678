package nodes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
)

// moduleFolder is where the containers have the EPMD module.
const moduleFolder = "/goepmd/module"

// moduleSources are the files of the module as a container holds them.
func moduleSources(module fs.FS) (map[string][]byte, error) {
	names, err := fs.Glob(module, "*.erl")
	if err == nil && len(names) == 0 {
		err = errors.New("there is no *.erl in it")
	}
	files := make(map[string][]byte)
	for _, name := range append(names, "goepmd.app.src") {
		if err == nil {
			files[moduleFolder[1:]+"/"+name], err = fs.ReadFile(module, name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the sources of the EPMD module: %w", err)
	}
	return files, nil
}

// module is the EPMD module of a container, which is compiled once.
type module struct {
	once sync.Once
	err  error
}

// compileModule compiles the EPMD module when it is first needed. A warning is an error.
func (b *box) compileModule(ctx context.Context) error {
	b.module.once.Do(func() {
		b.module.err = b.shell(ctx, "cd "+moduleFolder+" && erlc -Wall -Werror *.erl")
	})
	return b.module.err
}
