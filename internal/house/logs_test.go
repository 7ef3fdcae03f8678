package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLogKeys: the keys of the log are those that the documentation lists, so that who
// searches logs by them can rely on it.
func TestLogKeys(t *testing.T) {
	used := make(map[string]bool)
	for _, folder := range []string{"epmd", "epmdhttp", "metrics", "cmd/epmd"} {
		err := filepath.WalkDir("../../"+folder, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				logKeys(t, path, used)
			}
			return err
		})
		require.NoError(t, err)
	}
	_, table, found := strings.Cut(read(t, "docs/seeing.md"), "| key |")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	var told []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*?`) \\|").FindAllStringSubmatch(table, -1) {
		for _, key := range strings.Split(row[1], ", ") {
			told = append(told, strings.Trim(key, "`"))
		}
	}
	require.Greater(t, len(told), 5)
	require.ElementsMatch(t, slices.Sorted(maps.Keys(used)), told, "docs/seeing.md lists the keys of the log")
}

// logKeys adds the keys that a file logs by.
func logKeys(t *testing.T, path string, used map[string]bool) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || !isLog(call.Fun) {
			return true
		}
		for i := 1; i < len(call.Args); i += 2 {
			key, ok := call.Args[i].(*ast.BasicLit)
			require.True(t, ok && key.Kind == token.STRING && i+1 < len(call.Args), "%v: a key must be a plain string with a value", set.Position(call.Pos()))
			text, err := strconv.Unquote(key.Value)
			require.NoError(t, err)
			require.Regexp(t, "^[a-z_]+$", text, "%v", set.Position(call.Pos()))
			used[text] = true
		}
		return true
	})
}

// isLog says whether a function is one of a logger's, which are called log or Log
// everywhere.
func isLog(f ast.Expr) bool {
	method, ok := f.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, method.Sel.Name) {
		return false
	}
	on := method.X
	if call, ok := on.(*ast.CallExpr); ok { // such as r.client.log()
		on = call.Fun
	}
	switch on := on.(type) {
	case *ast.Ident:
		return strings.EqualFold(on.Name, "log")
	case *ast.SelectorExpr:
		return strings.EqualFold(on.Sel.Name, "log")
	}
	return false
}
