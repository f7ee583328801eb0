/* SPDX-License-Identifier: BSD-2-Clause */
"use strict";

/* The two charts of the last minute, drawn by uPlot. */

const COLOURS = 6; /* --s0 to --s5 of the style sheet, then again, dashed */
const POINTS = 240;
const CHART_HEIGHT = 190;
const QUANTILES = ["p50", "p99", "p99.9"];

/* A colour as the canvas wants it: what a variable comes to in this theme. */
function colour(variable) {
	const probe = document.body.appendChild(make("span"));

	probe.style.color = `var(${variable})`;
	const found = getComputedStyle(probe).color;

	probe.remove();
	return found;
}

function lineOf(label, i, format) {
	return {
		label,
		stroke: () => colour(`--s${i % COLOURS}`),
		width: 2,
		dash: i < COLOURS ? undefined : [6, 4],
		points: { show: false },
		value: (plot, value) => value === null ? NONE : format(value),
	};
}

function axis(format, more) {
	return {
		stroke: () => colour("--muted"),
		grid: { stroke: () => colour("--line"), width: 1 },
		ticks: { show: false },
		font: "12px system-ui, sans-serif",
		values: (plot, ticks) => ticks.map((tick) =>
		    tick === null ? "" : format(tick)),
		...more,
	};
}

/* On a logarithmic axis, what has a line and a name. */
function powersOfTen(plot, axis, low, high) {
	const powers = [];

	for (let power = low; power <= high * 1.001; power *= 10)
		powers.push(power);
	return powers;
}

/*
 * A chart in a figure: a line for each label, values in `format`. Its range
 * is a minute that ends with the last point.
 */
class Chart {
	constructor(figure, labels, format, scale, range) {
		this.box = figure.querySelector(".chart");
		this.labels = labels;
		this.format = format;
		this.times = [];
		this.values = labels.map(() => []);
		this.options = {
			width: 400,
			height: CHART_HEIGHT,
			legend: { show: false },
			cursor: { drag: { x: false, y: false } },
			scales: {
				x: { time: false, range: () => this.minute() },
				y: { ...scale, range },
			},
			axes: [axis((s) => `${s}\u00a0s`, {
				values: (plot, ticks) => ticks.map((tick) =>
				    this.ago(tick)),
				incrs: [15],
				splits: () => this.splits(),
				size: 30,
				gap: 8,
			}), axis((value) => format(value).replace(/\.0+\b/,
			    ""), {
				size: 62,
				splits: scale.distr === 3 ? powersOfTen
							  : undefined,
			})],
			series: [{}, ...labels.map((label, i) =>
			    lineOf(label, i, format))],
		};
		fill(figure.querySelector(".key"), labels, (label, i) =>
		    make("li", "", make("span", `swatch s${i % COLOURS}`
			+ (i < COLOURS ? "" : " dashed")), label,
			make("b", "", NONE)), () => {});
		this.key = figure.querySelector(".key");
		this.box.replaceChildren();
		this.plot = new uPlot(this.options, this.data(), this.box);
		this.fit();
	}

	data() {
		return [this.times, ...this.values];
	}

	last() {
		return this.times.length ? this.times[this.times.length - 1] : 0;
	}

	minute() {
		return [this.last() - 60, this.last()];
	}

	splits() {
		return [60, 45, 30, 15, 0].map((s) => this.last() - s);
	}

	ago(tick) {
		const seconds = Math.round(this.last() - tick);

		return seconds === 0 ? "now" : `\u2212${seconds}\u00a0s`;
	}

	add(time, values) {
		this.times.push(time);
		values.forEach((value, i) => this.values[i].push(value));
		if (this.times.length > POINTS) {
			this.times.shift();
			this.values.forEach((list) => list.shift());
		}
	}

	/* Points were added; what is not seen is not drawn. */
	draw() {
		this.plot.setData(this.data());
		this.labels.forEach((label, i) => {
			const list = this.values[i];
			const value = list.length ? list[list.length - 1] : null;

			say(this.key.children[i].lastChild,
			    value === null ? NONE : this.format(value));
		});
	}

	describe(what) {
		const now = this.labels.map((label, i) =>
		    `${label} ${this.key.children[i].lastChild.textContent}`);

		this.box.setAttribute("aria-label",
		    `${what}, the last minute. Now: ${now.join(", ")}`);
	}

	fit() {
		const wide = this.box.clientWidth;

		if (wide > 0)
			this.plot.setSize({ width: wide,
				height: CHART_HEIGHT });
	}

	/* The theme has changed. */
	recolour() {
		this.plot.redraw(false, true);
	}
}

function ratesChart(shards) {
	return new Chart($("rates"), shards.map((shard) =>
	    `shard ${shard.id}`), inCount, { distr: 1 },
	(plot, low, high) => [0, Math.max(10, (high || 0) * 1.1)]);
}

/* From 1 us or less to 100 ms or more, in whole powers of ten. */
function latenciesChart() {
	return new Chart($("latencies"), QUANTILES, inTime,
	    { distr: 3, log: 10 }, (plot, low, high) => [
		10 ** Math.floor(Math.log10(Math.min(low || 1e4, 1e4))),
		10 ** Math.ceil(Math.log10(Math.max(high || 1e7, 1e7)))]);
}
