// The audit's pictures. Each stands beside a table that says the same: without scripts nothing is lost.
// Vega's interpreter evaluates the expressions of a picture, so that the policy needs no 'unsafe-eval'.
"use strict";
(() => {
  const root = document.documentElement;
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--color${name}`).trim();
  const tones = () => ({ high: colour("StatusDangerForeground1"), medium: colour("StatusWarningForeground1"),
    low: colour("BrandForeground1"), info: colour("NeutralForeground3"), good: colour("StatusSuccessForeground1") });

  function config() {
    const font = getComputedStyle(document.body).fontFamily, quiet = colour("NeutralForeground3"), line = colour("NeutralStroke2");
    const axis = { labelColor: colour("NeutralForeground1"), titleColor: quiet, gridColor: line, domainColor: line, tickColor: line,
      labelFont: font, titleFont: font, titleFontWeight: "normal", labelFontSize: 12, titleFontSize: 12, labelLimit: 260 };
    return { background: "transparent", font, view: { stroke: null }, axis, text: { color: colour("NeutralForeground1"), font },
      legend: { labelColor: colour("NeutralForeground1"), titleColor: quiet, labelFont: font, titleFont: font, labelFontSize: 12 } };
  }

  const lite = (spec) => vegaLite.compile({ $schema: "https://vega.github.io/schema/vega-lite/v6.json", ...spec,
    config: config() }).spec;
  // Words and colours of the groups, in the order in which they come.
  function groups(rows, names) {
    const all = names || [...new Set(rows.map((row) => row.group))];
    const known = tones();
    const tone = Object.fromEntries(rows.map((row) => [row.group, known[row.tone]]));
    const domain = all.filter((name) => tone[name]);
    return { domain, range: domain.map((name) => tone[name]) };
  }

  // How many of each kind, as bars.
  function bars(data, wide) {
    const legend = { orient: "bottom", title: null, columns: wide < 500 ? 2 : 5 };
    return lite({ width: wide, autosize: { type: "fit-x", contains: "padding" },
      height: { step: 24 }, data: { values: data.rows },
      mark: { type: "bar", cornerRadius: 2, height: 14 },
      encoding: {
        y: { field: "label", type: "nominal", title: null, sort: null, axis: { domain: false, ticks: false, labelLimit: wide * 0.45 } },
        x: { field: "count", type: "quantitative", title: data.axis, axis: { format: "d", tickMinStep: 1, tickCount: 6 } },
        color: { field: "group", type: "nominal", legend, scale: groups(data.rows) },
        tooltip: [{ field: "label", title: " " }, { field: "group", title: " " }, { field: "count", title: data.axis }],
      } });
  }

  // What ends when: a circle for each kind and day, larger where more ends; a line stands at the present.
  function timeline(data, wide) {
    const present = new Set(data.rows.map((row) => row.label));
    const inside = { type: "fit-x", contains: "padding" };
    return lite({ width: wide, autosize: inside, height: { step: 40 }, data: { values: data.rows },
      layer: [
        { data: { values: [{ now: data.now, text: data.today }] }, layer: [
          { mark: { type: "rule", strokeDash: [4, 3], color: colour("NeutralForeground3") } },
          { mark: { type: "text", align: "left", dx: 4, y: -6, color: colour("NeutralForeground3") }, encoding: { text: { field: "text" } } },
        ], encoding: { x: { field: "now", type: "temporal" } } },
        { mark: { type: "circle", opacity: 0.85 }, encoding: {
          y: { field: "label", type: "nominal", title: null, scale: { domain: data.order.filter((name) => present.has(name)) },
            axis: { grid: true, domain: false, ticks: false } },
          x: { field: "day", type: "temporal", title: null, scale: { padding: 20 }, axis: { labelOverlap: true, format: "%Y-%m", tickCount: 6 } },
          size: { field: "count", type: "quantitative", legend: null, scale: { range: [60, 500], domainMin: 1 } },
          color: { field: "group", type: "nominal", legend: { orient: "bottom", title: null, columns: wide < 500 ? 2 : 4 },
            scale: groups(data.rows, data.groups) },
          tooltip: [{ field: "day", type: "temporal", title: " ", format: "%Y-%m-%d" }, { field: "label", title: " " },
            { field: "count", title: data.axis }],
        } },
      ] });
  }

  // Paths: columns of nodes that know their column, and what connects them.
  function paths(data, wide) {
    const many = data.columns.length;
    const counts = data.columns.map((_, at) => data.nodes.filter((node) => node.column === at).length);
    // Long names need room: on a narrow screen the picture scrolls sideways.
    const width = Math.max(wide, many * 130), column = (width - 60) / many;
    const height = Math.max(70, 54 * Math.max(...counts));
    const seen = {};
    const nodes = data.nodes.map((node) => {
      const row = seen[node.column] = (seen[node.column] ?? -1) + 1;
      return { ...node, x: node.column * column + 10, y: height * (row + 0.5) / counts[node.column] };
    });
    const at = Object.fromEntries(nodes.map((node) => [node.key, node]));
    const edges = data.edges.filter((edge) => at[edge.source] && at[edge.target]).map((edge) => ({ ...edge,
      x0: at[edge.source].x, y0: at[edge.source].y, x1: at[edge.target].x, y1: at[edge.target].y }));
    const effects = Object.keys(data.effects);
    const known = tones();
    const shade = { grants: known.good, denies: known.high, removes: known.high, misses: known.info, missing: known.high };
    const used = effects.filter((name) => [...edges, ...nodes].some((one) => one.effect === name));
    const dashes = [{ test: "datum.effect === 'misses'", value: [4, 3] }, { test: "datum.effect === 'removes'", value: [8, 3] }, { value: [1, 0] }];
    return {
      $schema: "https://vega.github.io/schema/vega/v6.json", width: width - 8, height, padding: { top: 34, left: 4, right: 4, bottom: 6 }, config: config(),
      data: [
        { name: "nodes", values: nodes },
        { name: "edges", values: edges, transform: [{ type: "linkpath", orient: "horizontal", shape: "diagonal",
          sourceX: "x0", sourceY: "y0", targetX: "x1", targetY: "y1" }] },
      ],
      scales: [
        { name: "effect", type: "ordinal", domain: used, range: used.map((name) => shade[name]) },
        { name: "named", type: "ordinal", domain: used.map((name) => data.effects[name]), range: used.map((name) => shade[name]) },
      ],
      legends: [{ stroke: "named", orient: "bottom", direction: "horizontal", symbolType: "stroke", symbolSize: 200, symbolStrokeWidth: 2 }],
      marks: [
        { type: "path", from: { data: "edges" }, encode: { update: { path: { field: "path" }, stroke: { scale: "effect", field: "effect" },
          strokeWidth: { value: 1.8 }, strokeOpacity: { value: 0.8 }, strokeDash: dashes } } },
        { type: "symbol", from: { data: "nodes" }, encode: { update: { x: { field: "x" }, y: { field: "y" }, size: { value: 90 },
          shape: [{ test: "datum.effect === 'missing'", value: "cross" }, { value: "circle" }],
          fill: { scale: "effect", field: "effect" }, tooltip: { field: "id" } } } },
        // A name has a rim of paper, so that a line behind it does not strike it through.
        ...[{ stroke: { value: colour("NeutralBackground1") }, strokeWidth: { value: 4 } }, { fill: { value: colour("NeutralForeground1") } }]
          .map((ink) => ({ type: "text", from: { data: "nodes" }, encode: { update: { x: { field: "x", offset: -6 },
            y: { field: "y", offset: -9 }, baseline: { value: "bottom" }, fontSize: { value: 12 }, text: { field: "label" },
            limit: { signal: `datum.column === ${many - 1} ? ${column + 36} : ${column - 10}` }, tooltip: { field: "id" }, ...ink } } })),
      ].concat(data.columns.map((name, index) => ({ type: "text", interactive: false, encode: { enter: { x: { value: index * column + 4 },
        y: { value: -18 }, text: { value: name }, fill: { value: colour("NeutralForeground3") }, fontSize: { value: 12 } } } }))),
    };
  }

  const kinds = { bars, timeline, paths };
  const drawn = new Map();
  function draw() {
    for (const place of document.querySelectorAll("[data-chart]")) {
      drawn.get(place)?.finalize();
      place.dataset.drawn = "yes";
      let ground = place.querySelector(".drawing");
      if (!ground) {
        ground = document.createElement("div");
        ground.className = "drawing";
        ground.setAttribute("role", "img");
        ground.setAttribute("aria-label", place.dataset.label);
        place.append(ground);
      }
      const spec = kinds[place.dataset.chart](JSON.parse(place.dataset.rows), ground.clientWidth);
      const view = new vega.View(vega.parse(spec, null, { ast: true }), { expr: vegaInterpreter, renderer: "svg", container: ground });
      view.run();
      ground.querySelector("svg").setAttribute("aria-hidden", "true");
      drawn.set(place, view);
      if (ground.scrollWidth > ground.clientWidth) ground.tabIndex = 0; else ground.removeAttribute("tabindex");
    }
  }

  document.addEventListener("DOMContentLoaded", draw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  let waiting = 0, last = window.innerWidth;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { if (window.innerWidth !== last) { last = window.innerWidth; draw(); } }, 200);
  });
  // Paper is white: what is printed is drawn for it.
  let before = "";
  window.addEventListener("beforeprint", () => { before = root.dataset.theme; root.dataset.theme = "light"; draw(); });
  window.addEventListener("afterprint", () => { root.dataset.theme = before; draw(); });
})();
