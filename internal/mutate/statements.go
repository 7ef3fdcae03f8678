package main

import (
	"go/ast"
	"go/token"
	"strings"
)

// statement mutates a statement as a whole.
func (w *finder) statement(s ast.Stmt, stack []ast.Node) {
	switch s := s.(type) {
	case *ast.IncDecStmt:
		w.token("increment", s, s.TokPos, s.Tok, swaps[s.Tok][0].to)
	case *ast.AssignStmt:
		for _, to := range swaps[s.Tok] {
			if len(s.Rhs) == 1 && !isText(s.Rhs[0]) {
				w.token(to.operator, s, s.TokPos, s.Tok, to.to)
			}
		}
		if s.Tok == token.ASSIGN && len(s.Lhs) > 1 {
			w.assignments(s)
			return
		}
		if s.Tok == token.DEFINE || isGrow(s.Rhs[0]) {
			return
		}
	case *ast.BranchStmt:
		w.branch(s, stack)
		return
	case *ast.ExprStmt, *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt:
	default:
		return
	}
	if inList(s, stack) && !alone(s, stack) {
		w.add("statement", s, s.Pos(), s.End(), "if false { "+w.text(s)+" }", w.text(s), "")
	}
}

// held is the statements that a node holds.
func held(n ast.Node) []ast.Stmt {
	switch n := n.(type) {
	case *ast.BlockStmt:
		return n.List
	case *ast.CaseClause:
		return n.Body
	case *ast.CommClause:
		return n.Body
	}
	return nil
}

func inList(s ast.Stmt, stack []ast.Node) bool {
	for _, x := range held(stack[len(stack)-1]) {
		if x == s {
			return true
		}
	}
	return false
}

// alone reports whether a statement is all that a condition leads to: then never
// says the same.
func alone(s ast.Stmt, stack []ast.Node) bool {
	parent := stack[len(stack)-1]
	if len(held(parent)) != 1 {
		return false
	}
	if c, ok := parent.(*ast.CaseClause); ok {
		return len(c.List) > 0
	}
	i, ok := stack[max(0, len(stack)-2)].(*ast.IfStmt)
	return ok && i.Body == parent && i.Else == nil
}

// assignments drops the variables of an assignment to several one by one.
func (w *finder) assignments(s *ast.AssignStmt) {
	for i, l := range s.Lhs {
		if id, ok := l.(*ast.Ident); ok && id.Name == "_" {
			continue
		}
		left, right := []string{}, []string{}
		for j, l := range s.Lhs {
			if i == j {
				left = append(left, "_")
			} else {
				left = append(left, w.text(l))
			}
		}
		for j, r := range s.Rhs {
			text := w.text(r)
			if i == j && text == "nil" {
				text = "any(nil)"
			}
			right = append(right, text)
		}
		text := strings.Join(left, ", ") + " = " + strings.Join(right, ", ")
		w.add("statement", s, s.Pos(), s.End(), text, w.text(s), text)
	}
}

// branch makes break of continue and continue of break.
func (w *finder) branch(s *ast.BranchStmt, stack []ast.Node) {
	loop, direct := false, true
	for i := len(stack) - 1; i >= 0 && !loop; i-- {
		switch stack[i].(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			loop = true
		case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			direct = false
		case *ast.FuncLit:
			i = 0
		}
	}
	switch {
	case s.Tok == token.BREAK && loop:
		w.token("loop", s, s.TokPos, s.Tok, token.CONTINUE)
	case s.Tok == token.CONTINUE && (direct || s.Label != nil):
		w.token("loop", s, s.TokPos, s.Tok, token.BREAK)
	case s.Tok == token.CONTINUE, s.Tok == token.BREAK:
		w.add("loop", s, s.Pos(), s.End(), "if false { "+w.text(s)+" }", w.text(s), "")
	}
}

// clause mutates what leads into a clause of a switch or a select.
func (w *finder) clause(n ast.Node, stack []ast.Node) {
	if c, ok := n.(*ast.CommClause); ok {
		if c.Comm == nil {
			w.add("case", c, c.Pos(), c.End(), "", "default:", "")
		}
		return
	}
	c := n.(*ast.CaseClause)
	if s, ok := stack[len(stack)-2].(*ast.SwitchStmt); ok && s.Tag == nil {
		for _, cond := range c.List {
			w.always(cond)
			w.never(cond)
		}
		return
	}
	for i, e := range c.List {
		if len(c.List) == 1 {
			w.add("case", c, c.Pos(), c.End(), "", "case "+w.text(e)+":", "")
			continue
		}
		from, to := e.Pos(), e.End()
		if i > 0 {
			from = c.List[i-1].End()
		} else {
			to = c.List[1].Pos()
		}
		w.add("case", e, from, to, "", "case "+w.text(e), "")
	}
}
