// Draws figures with data-chart over their plain drawing, and again whenever the data changes.
(() => {
  "use strict";

  const drawn = new WeakMap();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Custom properties come back as they were written; the canvas needs one colour, so an element computes it.
  function computed(name) {
    const probe = document.createElement("span");
    probe.className = "hidden-text";
    probe.style.color = color(name);
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  }

  const clock = (seconds, isExact) => new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", ...(isExact ? { second: "2-digit" } : {}), hourCycle: "h23" });

  // Learning rates are small: as 0 they would say nothing.
  const amount = value => value !== 0 && Math.abs(value) < .001 ? value.toExponential(value.toPrecision(1) == value ? 0 : 1) : value.toLocaleString(undefined, { maximumSignificantDigits: 4 });
  const amounts = (_, splits) => splits.map(value => value == null ? "" : amount(value));

  function draw(figure) {
    const { x, lines } = JSON.parse(figure.dataset.chart);
    const data = [x, ...lines.map(line => line.values)];
    const before = drawn.get(figure);
    if (x.length < 2) {
      return;
    }

    if (before && before.series.length === data.length) {
      before.setData(data);
      return;
    }

    before?.destroy();
    figure.replaceChildren();
    drawn.set(figure, new uPlot(options(figure, lines), data, figure));
  }

  function options(figure, lines) {
    const strokes = [computed("--accent"), computed("--cached"), computed("--good"), computed("--warn")];
    const axis = { stroke: computed("--quiet"), grid: { stroke: computed("--line"), width: 1 }, ticks: { show: false }, font: "11px Inter, sans-serif" };
    const isTime = figure.dataset.axis !== "number";
    return {
      width: figure.clientWidth,
      height: 150,
      cursor: { y: false, points: { size: 6 } },
      scales: { x: { time: isTime }, y: { range: (_, low, high) => figure.dataset.zero === "no" ? [low, high] : [0, Math.max(high * 1.1, 1e-6)] }, own: { range: (_, low, high) => [0, Math.max(high * 1.1, 1e-6)] } },
      axes: [
        { ...axis, grid: { show: false }, size: 28, ...(isTime ? { values: (_, splits, __, ___, step) => splits.map(at => clock(at, step < 60)) } : {}) },
        { ...axis, size: 44, values: amounts },
        ...(lines.some(line => line.own) ? [{ ...axis, scale: "own", side: 1, size: 48, grid: { show: false }, values: amounts }] : []),
      ],
      series: [
        { label: isTime ? "time" : figure.dataset.x ?? "x", value: (_, v) => v == null ? "" : isTime ? clock(v, true) : v.toLocaleString() },
        ...lines.map((line, index) => ({
          label: line.name,
          scale: line.own ? "own" : "y",
          stroke: strokes[index % strokes.length],
          width: 1.6,
          fill: index === 0 && lines.length < 3 ? strokes[0].replace("rgb(", "rgba(").replace(")", ", .09)") : undefined,
          points: { show: false },
          value: (_, v) => v == null ? "–" : amount(v),
        })),
      ],
    };
  }

  const observer = new MutationObserver(changes => changes.forEach(change => draw(change.target)));
  const resized = new ResizeObserver(entries => entries.forEach(entry => {
    const plot = drawn.get(entry.target);
    if (plot && Math.abs(plot.width - entry.contentRect.width) > 1) {
      plot.setSize({ width: entry.contentRect.width, height: 150 });
    }
  }));

  function all(root) {
    for (const figure of root.querySelectorAll("[data-chart]")) {
      if (!figure.dataset.watched) {
        figure.dataset.watched = "yes";
        observer.observe(figure, { attributeFilter: ["data-chart"] });
        resized.observe(figure);
      }

      draw(figure);
    }
  }

  dark.addEventListener("change", () => document.querySelectorAll("[data-chart]").forEach(figure => {
    drawn.get(figure)?.destroy();
    drawn.delete(figure);
    draw(figure);
  }));
  document.body.addEventListener("live", () => all(document));
  all(document);
})();
