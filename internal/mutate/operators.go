package main

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// finder collects the mutants of one file.
type finder struct {
	fset *token.FileSet
	src  []byte
	pkg  string
	file string

	declared string    // the declaration that is walked
	function *function // nil outside functions
	found    []mutant
	whole    map[ast.Expr]bool // conditions that always and never mutate as a whole
}

// find walks a file and lists its mutants in the order of their places.
func find(fset *token.FileSet, f *ast.File, src []byte, pkg, file string) []mutant {
	w := &finder{fset: fset, src: src, pkg: pkg, file: file, whole: map[ast.Expr]bool{}}
	for _, d := range f.Decls {
		w.declaration(d)
	}
	slices.SortStableFunc(w.found, func(a, b mutant) int { return a.start - b.start })
	return w.found
}

func (w *finder) declaration(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		w.declared = functionName(d)
		if d.Body != nil {
			w.function = newFunction(w, d)
			w.walk(d.Body, d)
			w.function = nil
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if v, ok := s.(*ast.ValueSpec); ok {
				w.declared = v.Names[0].Name
				w.walk(v)
			}
		}
	}
}

func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + d.Name.Name
		default:
			return d.Name.Name
		}
	}
}

// walk mutates what is below root, which stands in others.
func (w *finder) walk(root ast.Node, in ...ast.Node) {
	ast.PreorderStack(root, in, func(n ast.Node, stack []ast.Node) bool {
		if size(n, stack) {
			return false // how much room is made at first changes no result
		}
		switch n := n.(type) {
		case *ast.IfStmt:
			w.always(n.Cond)
			w.never(n.Cond)
		case *ast.ForStmt:
			if n.Cond != nil {
				w.never(n.Cond) // without an end there is a time-out, and no more to learn
			}
		case *ast.RangeStmt:
			w.add("loop", n.Body, n.Body.Lbrace, n.Body.Lbrace+1, "{ if true { break };", "for range", "no round of the loop")
		case *ast.CaseClause, *ast.CommClause:
			w.clause(n, stack)
		case *ast.BinaryExpr:
			w.binary(n)
		case *ast.UnaryExpr:
			if n.Op == token.NOT && !w.whole[n] || n.Op == token.SUB {
				w.replace("not", n, w.text(n.X))
			}
		case *ast.BasicLit:
			w.literal(n, stack)
		case *ast.Ident:
			w.ident(n, stack)
		case *ast.SliceExpr:
			w.slice(n)
		case *ast.CompositeLit:
			w.fields(n)
		case *ast.ReturnStmt:
			w.results(n, stack)
		}
		if s, ok := n.(ast.Stmt); ok {
			w.statement(s, stack)
		}
		return true
	})
}

// size reports whether a node only says how much room is made at first.
func size(n ast.Node, stack []ast.Node) bool {
	e, ok := n.(ast.Expr)
	if !ok || len(stack) == 0 {
		return false
	}
	call, ok := stack[len(stack)-1].(*ast.CallExpr)
	if !ok {
		return false
	}
	i := slices.Index(call.Args, e)
	if fun, ok := call.Fun.(*ast.Ident); ok && fun.Name == "make" && i > 0 {
		_, isMap := call.Args[0].(*ast.MapType)
		return i == 2 || isMap
	}
	return i == 1 && isGrow(call)
}

// isGrow reports whether an expression is slices.Grow.
func isGrow(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	fun, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := fun.X.(*ast.Ident)
	return ok && x.Name == "slices" && fun.Sel.Name == "Grow"
}

func (w *finder) text(n ast.Node) string { return w.between(n.Pos(), n.End()) }

func (w *finder) between(from, to token.Pos) string {
	return string(w.src[w.fset.Position(from).Offset:w.fset.Position(to).Offset])
}

// add adds a mutant that replaces the source between two places; was and is show
// the change to people.
func (w *finder) add(operator string, at ast.Node, from, to token.Pos, text, was, is string) {
	p, end := w.fset.Position(from), w.fset.Position(to)
	w.found = append(w.found, mutant{
		ID: w.pkg + "/" + w.declared, Package: w.pkg, File: w.file, Line: w.fset.Position(at.Pos()).Line, Operator: operator,
		Old: oneLine(was), New: oneLine(is),
		column: w.fset.Position(at.Pos()).Column, start: p.Offset, end: end.Offset, text: text,
		helper: strings.Contains(text, "mutateZero["), in: w.function,
	})
}

// replace replaces a node by other text.
func (w *finder) replace(operator string, n ast.Node, text string) {
	w.add(operator, n, n.Pos(), n.End(), text, w.text(n), text)
}

// token replaces an operator within an expression or a statement.
func (w *finder) token(operator string, in ast.Node, at token.Pos, was, is token.Token) {
	text := is.String()
	before, after := w.between(in.Pos(), at), w.between(at+token.Pos(len(was.String())), in.End())
	w.add(operator, in, at, at+token.Pos(len(was.String())), text, w.text(in), before+text+after)
}

func (w *finder) always(cond ast.Expr) {
	if w.constant(cond) {
		return
	}
	w.whole[cond] = true
	w.add("always", cond, cond.Pos(), cond.End(), "true || ("+w.text(cond)+")", w.text(cond), "true")
}

func (w *finder) never(cond ast.Expr) {
	if w.constant(cond) {
		return
	}
	w.whole[cond] = true
	w.add("never", cond, cond.Pos(), cond.End(), "false && ("+w.text(cond)+")", w.text(cond), "false")
}

func (w *finder) constant(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && (id.Name == "true" || id.Name == "false")
}

// swaps is what an operator becomes, and under which name.
var swaps = map[token.Token][]struct {
	operator string
	to       token.Token
}{
	token.LSS:  {{"boundary", token.LEQ}, {"negate", token.GEQ}},
	token.LEQ:  {{"boundary", token.LSS}, {"negate", token.GTR}},
	token.GTR:  {{"boundary", token.GEQ}, {"negate", token.LEQ}},
	token.GEQ:  {{"boundary", token.GTR}, {"negate", token.LSS}},
	token.EQL:  {{"negate", token.NEQ}},
	token.NEQ:  {{"negate", token.EQL}},
	token.LAND: {{"logical", token.LOR}},
	token.LOR:  {{"logical", token.LAND}},

	token.ADD: {{"arithmetic", token.SUB}}, token.SUB: {{"arithmetic", token.ADD}},
	token.MUL: {{"arithmetic", token.QUO}}, token.QUO: {{"arithmetic", token.MUL}},
	token.REM: {{"arithmetic", token.QUO}},
	token.AND: {{"bits", token.OR}}, token.OR: {{"bits", token.AND}}, token.XOR: {{"bits", token.AND}},
	token.AND_NOT: {{"bits", token.AND}}, token.SHL: {{"bits", token.SHR}}, token.SHR: {{"bits", token.SHL}},

	token.ADD_ASSIGN: {{"arithmetic", token.SUB_ASSIGN}}, token.SUB_ASSIGN: {{"arithmetic", token.ADD_ASSIGN}},
	token.MUL_ASSIGN: {{"arithmetic", token.QUO_ASSIGN}}, token.QUO_ASSIGN: {{"arithmetic", token.MUL_ASSIGN}},
	token.AND_ASSIGN: {{"bits", token.OR_ASSIGN}}, token.OR_ASSIGN: {{"bits", token.AND_ASSIGN}},
	token.SHL_ASSIGN: {{"bits", token.SHR_ASSIGN}}, token.SHR_ASSIGN: {{"bits", token.SHL_ASSIGN}},

	token.INC: {{"increment", token.DEC}}, token.DEC: {{"increment", token.INC}},
}

func (w *finder) binary(n *ast.BinaryExpr) {
	for _, s := range swaps[n.Op] {
		if s.operator == "negate" && w.whole[n] || n.Op == token.ADD && (isText(n.X) || isText(n.Y)) {
			continue // always and never say more; texts have no other operator
		}
		w.token(s.operator, n, n.OpPos, n.Op, s.to)
	}
}

func isText(e ast.Expr) bool {
	if b, ok := e.(*ast.BinaryExpr); ok {
		return isText(b.X) || isText(b.Y)
	}
	l, ok := e.(*ast.BasicLit)
	return ok && l.Kind == token.STRING
}

func (w *finder) literal(n *ast.BasicLit, stack []ast.Node) {
	switch n.Kind {
	case token.INT:
		// Within a function one more is enough: most numbers there are offsets.
		if v, err := strconv.ParseUint(strings.ReplaceAll(n.Value, "_", ""), 0, 64); err == nil {
			w.replace("number", n, strconv.FormatUint(v+1, 10))
			if v > 0 && w.function == nil {
				w.replace("number", n, strconv.FormatUint(v-1, 10))
			}
		}
	case token.CHAR:
		w.replace("number", n, n.Value+"+1")
	case token.STRING:
		if _, tag := stack[len(stack)-1].(*ast.Field); !tag && len(n.Value) > 2 {
			w.replace("text", n, `""`)
		}
	}
}

// names are the words that have an opposite.
var names = map[string]string{
	"true": "false", "false": "true", "min": "max", "max": "min",
	"BigEndian": "LittleEndian", "LittleEndian": "BigEndian",
}

func (w *finder) ident(n *ast.Ident, stack []ast.Node) {
	opposite, ok := names[n.Name]
	if !ok || len(stack) == 0 {
		return
	}
	operator := "boolean"
	switch p := stack[len(stack)-1].(type) {
	case *ast.CallExpr:
		if p.Fun == n {
			operator = "extreme"
		}
	case *ast.SelectorExpr:
		operator = "endian"
	}
	if (operator == "boolean") == (n.Name == "true" || n.Name == "false") {
		w.replace(operator, n, opposite)
	}
}

// slice drops the bounds of a slice; numbers are changed elsewhere.
func (w *finder) slice(n *ast.SliceExpr) {
	show := func(low, high, most ast.Expr) string {
		s := w.text(n.X) + "["
		if low != nil {
			s += w.text(low)
		}
		s += ":"
		if high != nil {
			s += w.text(high)
		}
		if most != nil {
			s += ":" + w.text(most)
		}
		return s + "]"
	}
	if n.Low != nil && !isLiteral(n.Low) {
		w.replace("slice", n, show(nil, n.High, n.Max))
	}
	if n.Max != nil {
		w.replace("slice", n, show(n.Low, n.High, nil))
	} else if n.High != nil && !isLiteral(n.High) {
		w.replace("slice", n, show(n.Low, nil, nil))
	}
}

// fields drops each field of a composite literal that is more than a literal.
func (w *finder) fields(n *ast.CompositeLit) {
	for _, e := range n.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok || isZero(kv.Value) || isLiteral(kv.Value) {
			continue
		}
		end := w.fset.Position(kv.End()).Offset
		rest := strings.TrimLeft(string(w.src[end:]), " \t")
		to := kv.End()
		if strings.HasPrefix(rest, ",") {
			to += token.Pos(len(w.src[end:]) - len(rest) + 1)
		}
		w.add("field", kv, kv.Pos(), to, "", w.text(kv), "")
	}
}

func isLiteral(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return e.Name == "true"
	}
	return false
}

// isZero reports whether an expression is plainly the zero value of its type.
func isZero(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Value == "0" || e.Value == `""`
	case *ast.Ident:
		return e.Name == "nil" || e.Name == "false"
	case *ast.CompositeLit:
		return len(e.Elts) == 0
	}
	return false
}

// unset reports whether an expression is a named result of the function around that is not
// touched above the return statement, and so is zero.
func unset(e ast.Expr, at *ast.ReturnStmt, stack []ast.Node) bool {
	id, ok := e.(*ast.Ident)
	f, isFunc := stack[0].(*ast.FuncDecl)
	if !ok || !isFunc || f.Type.Results == nil {
		return false
	}
	named := slices.ContainsFunc(f.Type.Results.List, func(r *ast.Field) bool {
		return slices.ContainsFunc(r.Names, func(n *ast.Ident) bool { return n.Name == id.Name })
	})
	touched := false
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if _, other := n.(*ast.ReturnStmt); other || touched {
			return false
		}
		if x, ok := n.(*ast.Ident); ok && x.Name == id.Name && x.Pos() < at.Pos() {
			touched = true
		}
		return true
	})
	return named && !touched
}

// results makes each result the zero value; of a condition it makes true and false.
func (w *finder) results(n *ast.ReturnStmt, stack []ast.Node) {
	types := resultTypes(stack)
	if len(types) != len(n.Results) {
		return // all results are those of one call, or have names
	}
	for i, r := range n.Results {
		if isLiteral(r) || isZero(r) || unset(r, n, stack) {
			continue
		}
		if t, ok := types[i].(*ast.Ident); ok && t.Name == "bool" {
			w.always(r)
			w.never(r)
			continue
		}
		w.add("result", r, r.Pos(), r.End(), "mutateZero["+w.text(types[i])+"]("+w.text(r)+")",
			"return "+w.text(r), "return zero")
	}
}

// resultTypes is a type for each result of the function around.
func resultTypes(stack []ast.Node) []ast.Expr {
	for _, n := range slices.Backward(stack) {
		var t *ast.FuncType
		switch n := n.(type) {
		case *ast.FuncDecl:
			t = n.Type
		case *ast.FuncLit:
			t = n.Type
		default:
			continue
		}
		types := []ast.Expr{}
		if t.Results != nil {
			for _, f := range t.Results.List {
				for range max(1, len(f.Names)) {
					types = append(types, f.Type)
				}
			}
		}
		return types
	}
	return nil
}
