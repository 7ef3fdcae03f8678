package bench

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// The plot's measures, in its own units.
const (
	plotWidth  = 800
	plotLeft   = 170 // where the axis begins
	plotRight  = 640 // where it ends
	plotRow    = 26
	plotTop    = 76
	plotBottom = 44
)

// bar is one row of the plot.
type bar struct {
	label string
	gain  Spread
	note  string // in the place of a gain
}

// SVG writes a plot of the gains in server CPU per operation (in memory per node for the
// mode idle): the median as a dot, the quartiles as a bar, the extremes as a line. It
// is readable on light and dark ground.
func (r Report) SVG(w io.Writer) error {
	bars := r.bars()
	low, high := axis(bars)
	x := func(v float64) float64 {
		return plotLeft + (plotRight-plotLeft)*(math.Log(v)-math.Log(low))/(math.Log(high)-math.Log(low))
	}
	bottom := plotTop + plotRow*len(bars)
	var b strings.Builder
	title := fmt.Sprintf("%s (A) against %s (B): gain in server CPU per operation", r.Plan.A.Name, r.Plan.B.Name)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" font-family="system-ui, sans-serif" font-size="13">`+"\n", plotWidth, bottom+plotBottom)
	fmt.Fprintf(&b, "<title>%s</title>\n", html.EscapeString(title))
	b.WriteString(plotStyle)
	fmt.Fprintf(&b, `<rect class="ground" width="%d" height="%d" rx="6"/>`+"\n", plotWidth, bottom+plotBottom)
	fmt.Fprintf(&b, `<text class="title" x="20" y="28">%s</text>`+"\n", html.EscapeString(title))
	fmt.Fprintf(&b, `<text class="soft" x="20" y="48">%s</text>`+"\n", html.EscapeString(fmt.Sprintf(
		"dot: median of %d pairs; bar: quartiles; line: least and most. Idle: memory per node.", r.Plan.Pairs)))
	for _, v := range ticks(low, high) {
		class := "grid"
		if v == 1 {
			class = "one"
		}
		fmt.Fprintf(&b, `<line class="%s" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`, class, x(v), x(v), plotTop-8, bottom)
		fmt.Fprintf(&b, `<text class="soft" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(v), bottom+18, trim(v))
	}
	fmt.Fprintf(&b, `<text class="soft" x="%.1f" y="%d" text-anchor="middle">times cheaper than B →</text>`+"\n", float64(plotLeft+plotRight)/2, bottom+36)
	for i, row := range bars {
		y := plotTop + plotRow*i + plotRow/2
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, plotLeft-12, y+4, html.EscapeString(row.label))
		g := row.gain
		if g.N == 0 {
			fmt.Fprintf(&b, `<text class="soft" x="%.1f" y="%d">%s</text>`+"\n", x(1)+8, y+4, html.EscapeString(row.note))
			continue
		}
		fmt.Fprintf(&b, `<line class="range" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`, x(g.Min), x(g.Max), y, y)
		fmt.Fprintf(&b, `<line class="box" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`, x(g.Low), x(g.High), y, y)
		fmt.Fprintf(&b, `<circle class="dot" cx="%.1f" cy="%d" r="4.5"/>`, x(g.Median), y)
		fmt.Fprintf(&b, `<text class="value" x="%d" y="%d">%s</text>`+"\n", plotRight+16, y+4,
			html.EscapeString(ratio(g.Median, g)+"  ("+between(g.Min, g.Max, g)+")"))
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

const plotStyle = `<style>
.ground { fill: #ffffff } text { fill: #1b1f24 } .title { font-size: 15px; font-weight: 600 } .soft { fill: #57606a }
.value { font-variant-numeric: tabular-nums } .grid { stroke: #d8dee4 } .one { stroke: #57606a; stroke-width: 1.5 }
.range { stroke: #0969da; stroke-width: 1.5 } .box { stroke: #0969da; stroke-width: 7; stroke-linecap: round; opacity: .45 } .dot { fill: #0969da }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 } text { fill: #e6edf3 } .soft { fill: #9da7b3 } .grid { stroke: #30363d } .one { stroke: #9da7b3 }
.range, .box { stroke: #58a6ff } .dot { fill: #58a6ff }
}
</style>
`

func (r Report) bars() []bar {
	var all []bar
	for _, c := range r.Cells {
		s := c.Summary()
		row := bar{label: fmt.Sprintf("%s, %d nodes", c.Mode, c.Nodes), gain: s.CPU.Gain, note: "not measured on both sides"}
		if c.Mode == Idle {
			row.gain, row.note = s.NodeBytes.Gain, "too little memory to tell"
		}
		// A daemon that used no memory that can be told has no gain to plot.
		if row.gain.Min <= 0 {
			row.gain = Spread{}
		}
		for _, name := range []string{"A", "B"} {
			for _, side := range c.sides(name) {
				if side.Held < c.Nodes {
					row.note = fmt.Sprintf("%s stops at %d nodes", name, side.Held)
				}
			}
		}
		all = append(all, row)
	}
	return all
}

// axis is the range of the plot: all that is on it, and 1.
func axis(bars []bar) (low, high float64) {
	low, high = 0.8, 1.25
	for _, row := range bars {
		if row.gain.N > 0 {
			low, high = min(low, row.gain.Min*0.9), max(high, row.gain.Max*1.1)
		}
	}
	return low, high
}

// ticks are round values on the axis, not too many.
func ticks(low, high float64) []float64 {
	var all []float64
	steps := []float64{1, 2, 5}
	if high/low > 300 {
		steps = steps[:1]
	}
	for power := 0.01; power <= high; power *= 10 {
		for _, s := range steps {
			// The powers are not exact.
			v := math.Round(power*s*100) / 100
			if v >= low && v <= high {
				all = append(all, v)
			}
		}
	}
	return all
}

func trim(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}
