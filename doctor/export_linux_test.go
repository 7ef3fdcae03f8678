package doctor

// ProcessesOf looks at the machine, and leaves out what is not of these numbers: tests run
// beside others.
func ProcessesOf(pids ...int) func() ([]Process, error) {
	return func() (out []Process, err error) {
		all, err := processes()
		for _, p := range all {
			for _, pid := range pids {
				if p.PID == pid {
					out = append(out, p)
				}
			}
		}
		return out, err
	}
}
