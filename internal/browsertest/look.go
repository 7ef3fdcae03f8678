package browsertest

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// EmulateScheme lets the page be seen by somebody who prefers a colour scheme.
func EmulateScheme(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// Faint lists the texts of the page whose contrast with their background is less
// than 4.5 to 1, by the formula of WCAG. Colours are read off a canvas, which knows
// every way to write them. What is disabled, decoration, or not shown may be faint.
const Faint = `(() => {
	const g = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const rgba = (colour) => {
		g.clearRect(0, 0, 1, 1);
		g.fillStyle = colour;
		g.fillRect(0, 0, 1, 1);
		return [...g.getImageData(0, 0, 1, 1).data].map((v) => v / 255);
	};
	const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
	const behind = (e) => {
		if (!e) return [1, 1, 1];
		const c = rgba(getComputedStyle(e).backgroundColor);
		return c[3] === 1 ? c.slice(0, 3) : over(c, behind(e.parentElement));
	};
	const opacity = (e) => (e ? Number(getComputedStyle(e).opacity) * opacity(e.parentElement) : 1);
	const luminance = (c) => {
		const [r, g, b] = c.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const bad = [];
	let seen = 0;
	for (const e of document.querySelectorAll("body *")) {
		const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== "");
		if (!own || !e.checkVisibility() || e.closest(":disabled, noscript, option")) continue;
		const back = behind(e);
		const ink = rgba(getComputedStyle(e).color);
		ink[3] *= opacity(e);
		const [a, b] = [luminance(over(ink, back)), luminance(back)].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05);
		seen++;
		if (ratio < 4.5) bad.push(e.className + " " + e.tagName + " " + e.textContent.slice(0, 30) + ": " + ratio.toFixed(2));
	}
	return seen > 40 ? bad : ["only " + seen + " texts were seen"];
})()`
