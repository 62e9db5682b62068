// Draws what a run has brought over time. The page has the same as a table; the numbers
// and their words come from the server, in the person's language and zone.
import uPlot from "uplot";

const HEIGHT = 240; // CSS pixels; chosen

// The colours are those of the page, so they change with the theme. A canvas knows no
// light-dark(): the browser works it out on an element.
function colour(element, name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  element.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

// options are for bars with the slot's number as x; what is bad stands on what is good. The
// legend tells of the slot under the pointer, else of all.
function options(element, data, width) {
  const soft = colour(element, "--v-text-soft"), line = colour(element, "--v-line");
  const words = new Intl.NumberFormat(document.documentElement.lang);
  const bars = uPlot.paths.bars({ size: [0.8, 48], radius: 0.15 });
  const series = (label, raw, name) => ({
    label, paths: bars, fill: colour(element, name), width: 0, points: { show: false },
    value: (_, __, ___, i) => words.format(i === null ? raw.reduce((sum, n) => sum + n, 0) : raw[i]),
  });
  const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  return {
    width, height: HEIGHT, padding: [12, 32, 0, 0],
    legend: { live: true },
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
    scales: { x: { time: false, range: [-0.6, data.when.length - 0.4] }, y: { range: (_, __, most) => [0, Math.max(most * 1.05, 1)] } },
    series: [
      { label: data.names[0], value: (_, __, ___, i) => (i === null ? `${data.when[0]} – ${data.when.at(-1)}` : data.when[i]) },
      series(data.names[2], data.bad, "--v-danger"),
      series(data.names[1], data.good, "--v-accent"),
    ],
    axes: [
      { ...axis, grid: { show: false }, space: 88, incrs: [1, 2, 3, 5, 10, 15, 20, 30],
        values: (_, splits) => splits.map((i) => data.when[i] ?? "") },
      { ...axis, size: 56, space: 40, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6],
        values: (_, splits) => splits.map((n) => words.format(n)) },
    ],
  };
}

const drawn = new WeakMap(); // by element

function draw(element) {
  const data = JSON.parse(element.dataset.chart);
  drawn.get(element)?.destroy();
  const both = data.good.map((n, i) => n + data.bad[i]);
  const chart = new uPlot(options(element, data, element.clientWidth), [data.when.map((_, i) => i), both, data.good], element);
  // The table says it to a screen reader, and so does the name of the chart.
  for (const child of element.children) child.setAttribute("aria-hidden", "true");
  drawn.set(element, chart);
}

const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const chart = drawn.get(target);
    if (chart && chart.width !== contentRect.width) chart.setSize({ width: contentRect.width, height: HEIGHT });
  }
});

function drawAll() {
  for (const element of document.querySelectorAll("[data-chart]")) {
    if (drawn.has(element)) continue;
    draw(element);
    sizes.observe(element);
  }
}

function redraw() {
  for (const element of document.querySelectorAll("[data-chart]")) draw(element);
}

drawAll();
// The report of an open run is renewed, and the theme may change, while the page stands.
new MutationObserver(drawAll).observe(document.querySelector("main"), { childList: true, subtree: true });
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
