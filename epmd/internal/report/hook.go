package report

import "runtime/debug"

// Recover calls a hook of the program, and says whether it returned: a panic is counted,
// and logged with its stack.
func (r *Report) Recover(name string, hook func()) (returned bool) {
	defer func() {
		if p := recover(); p != nil {
			r.HookPanics.Add(1)
			r.Log.Error("a hook panicked", "hook", name, "err", p, "stack", string(debug.Stack()))
		}
	}()
	hook()
	return true
}

// Call is Recover for a hook that is called on behalf of a connection: the engine knows
// meanwhile that its goroutine is in a hook.
func (r *Report) Call(name string, hook func()) (returned bool) {
	if r.InHook != nil {
		r.InHook(true)
		defer r.InHook(false)
	}
	return r.Recover(name, hook)
}
