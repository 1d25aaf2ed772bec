// Labelled sliders, menus and checkboxes, of the browser's own kind.

function nearestStep(steps, value) {
  let best = 0;
  steps.forEach((step, index) => {
    if (Math.abs(step - value) < Math.abs(steps[best] - value)) best = index;
  });
  return best;
}

// Each function draws one control into a row, and returns how to show a value that was set
// elsewhere. `send` takes what the person chose.
const draw = {
  range(row, { name, steps, labels, typed }, id, send) {
    const slider = element("input", { type: "range", id, min: 0, max: steps.length - 1, step: 1 });
    const field = typed
      ? element("input", { type: "number", step: "any", "aria-label": `${name}, as a number` })
      : element("output", { for: id });
    const say = (value, label) => {
      slider.setAttribute("aria-valuetext", label);
      if (typed) field.value = value;
      else field.textContent = label;
    };
    slider.addEventListener("input", () => {
      const value = steps[slider.value];
      say(value, labels[slider.value]);
      send(value);
    });
    const take = () => {
      if (typed && field.value !== "") send(Number(field.value));
    };
    field.addEventListener("change", take);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") take(); // JupyterLab keeps the browser from saying "change" then
    });
    row.append(slider, field);
    return (value) => {
      const near = nearestStep(steps, value);
      slider.value = near;
      say(value, steps[near] === value ? labels[near] : value.toLocaleString("en"));
    };
  },

  choice(row, { labels }, id, send) {
    const menu = element("select", { id });
    labels.forEach((label, index) => menu.append(element("option", { value: index }, label)));
    menu.addEventListener("change", () => send(Number(menu.value)));
    row.append(menu);
    return (value) => { menu.value = value; };
  },

  check(row, control, id, send) {
    const box = element("input", { type: "checkbox", id });
    box.addEventListener("change", () => send(box.checked));
    row.append(box);
    return (value) => { box.checked = value; };
  },
};

// Draw all controls of a model into `root`; returns how to stop following the model.
function drawControls(model, root) {
  const group = element("div", { class: "pib-controls", "data-lm-suppress-shortcuts": "true" });
  // JupyterLab would take the arrow keys for itself, to walk through headings.
  group.addEventListener("keydown", (event) => {
    if (/^(Arrow|Home|End|Page)/.test(event.key)) event.stopPropagation();
  });
  const shown = {};
  for (const control of model.get("controls")) {
    const id = `pib-control-${Date.now().toString(36)}-${made++}`;
    const row = element("div", { class: "pib-control" });
    row.append(element("label", { for: id }, control.name));
    shown[control.name] = draw[control.kind](row, control, id, (value) => {
      model.set("values", { ...model.get("values"), [control.name]: value });
      model.save_changes();
    });
    group.append(row);
  }
  root.append(group);
  const show = () => {
    for (const [name, value] of Object.entries(model.get("values"))) shown[name](value);
  };
  model.on("change:values", show);
  show();
  return () => model.off("change:values", show);
}
