"use strict";
// The page's pictures and its few controls. Without this script the findings are all there, in tables.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const preferred = window.matchMedia("(prefers-color-scheme: dark)");
  let chosen = "";

  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const width = () => Math.max(300, document.querySelector("main").clientWidth - 50);
  const lines = () => ["c1", "c2", "c3", "c4", "c5", "c6"].map(colour);

  function config() {
    const font = getComputedStyle(document.body).fontFamily;
    const axis = { labelColor: colour("quiet"), titleColor: colour("quiet"), gridColor: colour("line"),
      domainColor: colour("line"), tickColor: colour("line"), labelFont: font, titleFont: font, titleFontWeight: "normal",
      labelFontSize: 12, titleFontSize: 12 };
    return { background: "transparent", font, view: { stroke: null }, axis, text: { color: colour("ink"), font },
      legend: { labelColor: colour("ink"), titleColor: colour("quiet"), labelFont: font, titleFont: font, labelFontSize: 12,
        titleFontWeight: "normal" },
      range: { category: lines() } };
  }

  const lite = (spec) => vegaLite.compile({ $schema: "https://vega.github.io/schema/vega-lite/v6.json", ...spec,
    config: config() }).spec;

  function signers() {
    if (data.signers.length < 2) return null;
    return lite({ width: width() - 60, height: 220, data: { values: data.signers },
      layer: [
        { mark: { type: "line", interpolate: "step-after", strokeWidth: 2 } },
        { mark: { type: "point", filled: true, size: 26 } },
      ],
      encoding: {
        x: { field: "time", type: "temporal", title: null, axis: { grid: false, labelOverlap: true } },
        y: { field: "signers", type: "quantitative", title: "may sign", axis: { tickMinStep: 1, format: "d" } },
        color: { field: "registry", type: "nominal", title: null, sort: null, legend: { orient: "bottom", columns: 7 },
          scale: { domain: [...new Set(data.signers.map((row) => row.registry))], range: [colour("ink"), ...lines()] } },
        strokeWidth: { condition: { test: "datum.registry === 'all registries'", value: 3 }, value: 1.6 },
        tooltip: [{ field: "registry", title: "Registry" }, { field: "signers", title: "May sign" },
          { field: "time", type: "temporal", format: "%Y-%m-%d %H:%M", title: "From" }],
      } });
  }

  function matrix() {
    if (!data.matrix.length) return null;
    const order = ["tenant root", "management group", "subscription", "resource group", "resource"];
    const rows = data.matrix.map((row) => ({ ...row, place: order.indexOf(row.level), column: row.scope }));
    const columns = new Set(rows.map((row) => row.column)).size;
    const step = Math.max(22, Math.min(64, Math.floor((width() - 260) / columns)));
    const most = Math.max(...rows.map((row) => row.count));
    return lite({ width: { step }, height: { step: 26 }, data: { values: rows },
      encoding: {
        x: { field: "column", type: "nominal", title: null, sort: { field: "place", op: "min" },
          axis: { labelAngle: -40, labelLimit: 130, orient: "top", domain: false, ticks: false } },
        y: { field: "role", type: "nominal", title: null, axis: { labelLimit: 230, domain: false, ticks: false },
          sort: { field: "count", op: "sum", order: "descending" } },
        tooltip: [{ field: "role", title: "Role" }, { field: "scope", title: "Scope" }, { field: "level", title: "Level" },
          { field: "count", title: "Principals" }],
      },
      layer: [
        { mark: { type: "rect", cornerRadius: 3, stroke: colour("ground"), strokeWidth: 2 },
          encoding: { color: { field: "count", type: "quantitative", legend: null,
            scale: { type: "sqrt", range: [colour("heat-0"), colour("heat-1")], domain: [0, most] } } } },
        { mark: { type: "text", fontSize: 12 }, encoding: { text: { field: "count" },
          color: { condition: { test: `datum.count > ${most * 0.3}`, value: colour("ground") }, value: colour("ink") } } },
      ] });
  }

  function expiry() {
    if (!data.expiry.length) return null;
    const now = new Date(data.now), day = 86400000;
    const rows = data.expiry.map((row) => {
      const left = Math.floor((new Date(row.date) - now) / day);
      return { ...row, left, kind: row.key ? "key" : row.role.startsWith("targets/") ? "delegation" : row.role,
        when: left < 0 ? "expired" : left < 30 ? "within 30 days" : left < 90 ? "within 90 days" : "later" };
    });
    return lite({ width: width() - 110, height: { step: 44 }, data: { values: rows },
      transform: [{ timeUnit: "yearmonthdate", field: "date", as: "day" },
        { aggregate: [{ op: "count", as: "number" }, { op: "values", as: "which" }], groupby: ["day", "kind", "when"] },
        { calculate: "slice(pluck(datum.which, 'registry'), 0, 3)", as: "some" }],
      layer: [
        { data: { values: [{ now: data.now }] }, mark: { type: "rule", strokeDash: [4, 3], color: colour("quiet") },
          encoding: { x: { field: "now", type: "temporal" } } },
        { mark: { type: "circle", opacity: 0.85 }, encoding: {
          y: { field: "kind", type: "nominal", title: null, sort: ["root", "targets", "delegation", "snapshot", "key"] },
          x: { field: "day", type: "temporal", title: null, scale: { padding: 24 }, axis: { labelOverlap: true, format: "%b %Y" } },
          size: { field: "number", type: "quantitative", title: "metadata or keys", scale: { range: [50, 700] },
            legend: { orient: "bottom", format: "d", tickMinStep: 1, symbolFillColor: colour("quiet"), symbolStrokeWidth: 0 } },
          color: { field: "when", type: "nominal", title: null, legend: { orient: "bottom" },
            scale: { domain: ["expired", "within 30 days", "within 90 days", "later"],
              range: [colour("high"), colour("medium"), colour("c6"), colour("c1")] } },
          tooltip: [{ field: "day", type: "temporal", title: "Ends", format: "%Y-%m-%d" }, { field: "kind", title: "Role" },
            { field: "number", title: "Number" }, { field: "some", title: "Registries" }] } },
      ] });
  }

  // The graph: six columns, drawn from nodes that know their place in their column.
  function graph() {
    if (!data.nodes.length) return null;
    const kinds = ["principal", "group", "assignment", "registry", "repository", "key"];
    const counts = {};
    for (const node of data.nodes) counts[[node.registry, node.layer]] = (counts[[node.registry, node.layer]] || 0) + 1;
    const height = Math.min(860, Math.max(120, 34 * Math.max(...Object.values(counts))));
    const wide = width(), column = wide / kinds.length;
    return {
      $schema: "https://vega.github.io/schema/vega/v6.json", width: wide, height, padding: { top: 26, left: 4, right: 4, bottom: 6 },
      config: config(),
      signals: [
        { name: "registry", value: data.registries[0],
          bind: { input: "select", name: "Registry ", options: data.registries } },
        { name: "lit", value: null, on: [{ events: "@node:pointerover", update: "datum.key" }, { events: "@node:pointerout", update: "null" }] },
      ],
      data: [
        { name: "nodes", values: data.nodes.map((node) => ({ ...node, key: `${node.layer} ${node.id}` })), transform: [
          { type: "filter", expr: "datum.registry === registry" },
          { type: "joinaggregate", groupby: ["layer"], ops: ["count"], as: ["many"] },
          { type: "window", groupby: ["layer"], sort: { field: "order" }, ops: ["row_number"], as: ["row"] },
          { type: "formula", as: "x", expr: `datum.layer * ${column} + 8` },
          { type: "formula", as: "y", expr: `${height} * (datum.row - 0.5) / datum.many` },
        ] },
        { name: "edges", values: data.edges, transform: [
          { type: "filter", expr: "datum.registry === registry" },
          { type: "lookup", from: "nodes", key: "key", fields: ["source", "target"], as: ["from", "to"] },
          { type: "filter", expr: "datum.from && datum.to" },
          { type: "linkpath", orient: "horizontal", shape: "diagonal", sourceX: "from.x", sourceY: "from.y",
            targetX: "to.x", targetY: "to.y" },
        ] },
      ],
      scales: [{ name: "colour", type: "ordinal", domain: [0, 1, 2, 3, 4, 5], range: lines() }],
      marks: [
        { type: "path", from: { data: "edges" }, encode: { update: { path: { field: "path" },
          stroke: [{ test: "lit && (datum.source === lit || datum.target === lit)", value: colour("accent") }, { value: colour("quiet") }],
          strokeOpacity: [{ test: "lit && (datum.source === lit || datum.target === lit)", value: 1 }, { value: 0.45 }],
          strokeWidth: [{ test: "lit && (datum.source === lit || datum.target === lit)", value: 2.2 }, { value: 1.2 }] } } },
        { type: "symbol", name: "node", from: { data: "nodes" }, encode: { update: { x: { field: "x" }, y: { field: "y" },
          size: { value: 80 }, fill: { scale: "colour", field: "layer" },
          tooltip: { signal: "{kind: datum.kind, name: datum.label, id: datum.id}" } } } },
        { type: "text", interactive: false, from: { data: "nodes" }, encode: { update: { x: { field: "x", offset: -4 }, y: { field: "y", offset: -8 },
          baseline: { value: "bottom" }, fontSize: { value: 11.5 }, fill: { value: colour("ink") }, text: { field: "label" },
          limit: { value: column - 12 } } } },
      ].concat(kinds.map((kind, at) => ({ type: "text", interactive: false,
        encode: { enter: { x: { value: at * column + 4 }, y: { value: -12 }, text: { value: kind }, fill: { value: colour("quiet") },
          fontSize: { value: 12 } } } }))),
    };
  }

  const tip = document.createElement("div");
  tip.id = "vg-tooltip";
  tip.hidden = true;
  document.body.append(tip);
  function tooltip(_, event, item, value) {
    tip.hidden = value == null || value === "";
    if (tip.hidden) return;
    tip.replaceChildren(...Object.entries(typeof value === "object" ? value : { "": value }).map(([name, text]) => {
      const line = document.createElement("div");
      line.textContent = name ? `${name}: ${text}` : text;
      return line;
    }));
    tip.style.left = `${Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 14, window.innerHeight - tip.offsetHeight - 8)}px`;
  }

  const pictures = { signers, matrix, expiry, graph };
  const empty = { signers: "Nobody may sign.", matrix: "No role that matters is assigned.",
    expiry: "There are no signed metadata to look at.", graph: "Nobody may sign in any registry." };
  let views = [];
  async function draw() {
    views.forEach((view) => view.finalize());
    views = [];
    for (const [name, make] of Object.entries(pictures)) {
      const place = document.getElementById(name);
      const spec = make();
      place.replaceChildren();
      if (!spec) {
        const none = document.createElement("div");
        none.className = "none";
        none.textContent = empty[name];
        place.append(none);
        continue;
      }
      // Vega names what it draws in after itself: the name that says what is seen stays on the place around it.
      const inner = document.createElement("div");
      place.append(inner);
      const view = new vega.View(vega.parse(spec), { renderer: "svg", container: inner, hover: true, tooltip });
      await view.runAsync();
      for (const name of ["role", "aria-label", "aria-roledescription"]) inner.removeAttribute(name);
      inner.querySelector("svg").setAttribute("aria-hidden", "true");
      views.push(view);
    }
    root.dataset.drawn = "yes";
  }

  function themed() {
    const wanted = chosen || (preferred.matches ? "dark" : "light");
    if (root.dataset.theme !== wanted) root.dataset.theme = wanted;
    return draw();
  }

  document.getElementById("theme").hidden = document.getElementById("print").hidden = false;
  document.getElementById("theme").onclick = () => { chosen = root.dataset.theme === "dark" ? "light" : "dark"; themed(); };
  document.getElementById("print").onclick = () => window.print();
  preferred.addEventListener("change", themed);
  // Paper is white: what is printed is drawn for it, all findings open.
  let before = [];
  window.addEventListener("beforeprint", () => {
    before = [root.dataset.theme, [...document.querySelectorAll("details:not([open])")]];
    before[1].forEach((one) => { one.open = true; });
    root.dataset.theme = "light";
    draw();
  });
  window.addEventListener("afterprint", () => { before[1].forEach((one) => { one.open = false; }); root.dataset.theme = before[0]; draw(); });
  let waiting = 0, last = width();
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { if (width() !== last) { last = width(); draw(); } }, 200);
  });

  // Findings: filter, copy a cure by clicking it.
  const severity = document.getElementById("severity"), text = document.getElementById("text");
  function filter() {
    const wanted = text.value.toLowerCase();
    let shown = 0;
    for (const kind of document.querySelectorAll("#findings details")) {
      let any = 0;
      for (const row of kind.querySelectorAll("tbody tr")) {
        const fits = (!severity.value || row.dataset.severity === severity.value) && (!wanted || row.textContent.toLowerCase().includes(wanted));
        row.hidden = !fits;
        any += fits;
      }
      kind.hidden = !any;
      shown += any;
    }
    document.getElementById("count").textContent = `${shown} shown`;
  }
  document.querySelector(".filters").hidden = false;
  severity.onchange = text.oninput = filter;
  for (const code of document.querySelectorAll("#findings code")) { code.tabIndex = 0; code.title = "Copy"; }
  document.getElementById("findings").addEventListener("click", (event) => {
    const code = event.target.closest("code");
    if (code && navigator.clipboard && !String(getSelection())) navigator.clipboard.writeText(code.textContent);
  });
  filter();
  themed();
})();
