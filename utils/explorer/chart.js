// The panel's chart, drawn anew for each state, as wide as there is room.

const LOOP = "var(--pib-loop)", BATCH = "var(--pib-batch)", HEIGHT = 330;
const INSET = { left: 64, right: 26, top: 10, bottom: 44 };
const INK = "var(--jp-content-font-color1, currentColor)";
const GRID = "var(--jp-border-color2, rgba(128, 128, 128, 0.35))";

function seconds(value) {
  const [size, unit] = value >= 1 ? [1, "s"] : value >= 1e-3 ? [1e-3, "ms"]
    : value >= 1e-6 ? [1e-6, "µs"] : [1e-9, "ns"];
  return `${Number((value / size).toPrecision(3))} ${unit}`;
}

// Steps of 1 and 3, or of 1, in each decade between two times.
function timeTicks([low, high]) {
  const ticks = [];
  const many = Math.log10(high / low) <= 2.5;
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of many ? [1, 3] : [1]) ticks.push(factor * 10 ** power);
  }
  return ticks.filter((tick) => tick >= low * 0.99 && tick <= high * 1.01);
}

function sizeTicks([low, high], room) {
  const ticks = [];
  for (let size = 1; size <= high * 1.001; size *= 2) if (size >= low * 0.999) ticks.push(size);
  const every = Math.ceil(ticks.length / Math.max(2, Math.floor(room / 56)));
  return ticks.filter((_, index) => index % every === 0);
}

function marker(kind, x, y, extra) {
  return kind === "loop"
    ? `<circle cx="${x}" cy="${y}" r="4.5" ${extra}/>`
    : `<rect x="${x - 4}" y="${y - 4}" width="8" height="8" ${extra}/>`;
}

function chart({ sizes, times, here, others, now, limit, words }, width) {
  const right = width - INSET.right, bottom = HEIGHT - INSET.bottom;
  const across = (size) => INSET.left + (right - INSET.left)
    * Math.log(size / sizes[0]) / Math.log(sizes[1] / sizes[0]);
  const up = (time) => bottom - (bottom - INSET.top)
    * Math.log(time / times[0]) / Math.log(times[1] / times[0]);
  const inside = (time) => time >= times[0] * 0.999 && time <= times[1] * 1.001;
  const parts = [];
  const text = (x, y, anchor, what, more = "") =>
    parts.push(`<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${INK}" ${more}>${what}</text>`);
  for (const time of timeTicks(times)) {
    const y = up(time);
    parts.push(`<line x1="${INSET.left}" x2="${right}" y1="${y}" y2="${y}" stroke="${GRID}"/>`);
    text(INSET.left - 8, y + 4, "end", seconds(time));
  }
  for (const size of sizeTicks(sizes, right - INSET.left)) {
    const x = across(size);
    parts.push(`<line x1="${x}" x2="${x}" y1="${INSET.top}" y2="${bottom}" stroke="${GRID}"/>`);
    text(x, bottom + 16, "middle", size.toLocaleString("en"));
  }
  text((INSET.left + right) / 2, HEIGHT - 8, "middle", "batch_size");
  text(0, 0, "middle", "time per item",
    `transform="translate(13 ${(INSET.top + bottom) / 2}) rotate(-90)"`);
  const path = (points, side) => points.filter((p) => p[side] !== null && inside(p[side]))
    .map((p) => `${across(p[0])},${up(p[side])}`).join(" ");
  if (limit) {
    parts.push(`<polyline class="pib-limit" points="${path(here, 3)}" fill="none" stroke="${INK}"
      stroke-width="1.5" stroke-dasharray="2 4"/>`);
  }
  ["loop", "batch"].forEach((kind, index) => {
    const colour = index ? BATCH : LOOP, side = index + 1;
    for (const p of others.filter((p) => inside(p[side]))) {
      parts.push(marker(kind, across(p[0]), up(p[side]), `fill="${colour}" fill-opacity="0.4"`));
    }
    const dashes = index ? 'stroke-dasharray="7 4"' : "";
    parts.push(`<polyline points="${path(here, side)}" fill="none" stroke="${colour}"
      stroke-width="2" ${dashes}/>`);
    for (const p of here.filter((p) => inside(p[side]))) {
      parts.push(marker(kind, across(p[0]), up(p[side]), `class="pib-${kind}" fill="${colour}"`));
    }
    if (now && inside(now[side])) {
      parts.push(`<circle cx="${across(now[0])}" cy="${up(now[side])}" r="9" fill="none"
        stroke="${colour}" stroke-width="2"/>`);
    }
  });
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({
    role: "img", "aria-label": words, width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`,
  })) drawn.setAttribute(name, value);
  drawn.innerHTML = `<g aria-hidden="true" font-size="12">${parts.join("")}</g>`;
  return drawn;
}

// What is what, under the chart: there it covers no point.
function legend({ names, limit, others, now }) {
  const list = element("ul", { class: "pib-legend" });
  const entry = (sample, words) => {
    const item = element("li");
    item.innerHTML = `<svg width="30" height="14" aria-hidden="true">${sample}</svg>`;
    item.append(element("span", {}, words));
    list.append(item);
  };
  const line = (colour, more) =>
    `<line x1="0" x2="30" y1="7" y2="7" stroke="${colour}" stroke-width="2" ${more}/>`;
  entry(line(LOOP, "") + marker("loop", 15, 7, `fill="${LOOP}"`), names[0]);
  entry(line(BATCH, 'stroke-dasharray="7 4"') + marker("batch", 15, 7, `fill="${BATCH}"`), names[1]);
  if (limit) entry(line(INK, 'stroke-dasharray="2 4"'), limit);
  if (now) entry(`<circle cx="15" cy="7" r="6" fill="none" stroke="${INK}" stroke-width="2"/>`, "ring: the newest");
  if (others.length) {
    entry(marker("loop", 9, 7, `fill="${LOOP}" fill-opacity="0.4"`)
      + marker("batch", 22, 7, `fill="${BATCH}" fill-opacity="0.4"`), "faded: other settings");
  }
  return list;
}
