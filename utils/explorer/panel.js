// The panel: controls, chart, what happens now, and the result of the last run.
export default {
  render({ model, el }) {
    el.classList.add("pib");
    if (model.get("title")) el.append(element("p", { class: "pib-title" }, model.get("title")));
    const stop = drawControls(model, el);
    const picture = element("div", { class: "pib-chart" });
    const status = element("div", { class: "pib-status" });
    const result = element("div", {
      class: "pib-result", role: "group", "aria-label": "result", tabindex: 0,
    });
    el.append(picture, status, result);

    let drawnAt = 0;
    const redraw = () => {
      drawnAt = Math.max(260, Math.floor(picture.clientWidth) || 640);
      const state = model.get("chart");
      picture.replaceChildren(chart(state, drawnAt), legend(state));
    };
    const say = () => {
      const { text, alarm } = model.get("status");
      status.setAttribute("role", alarm ? "alert" : "status");
      status.classList.toggle("pib-alarm", alarm);
      status.textContent = text;
    };
    const report = () => { result.innerHTML = model.get("result"); };
    const resized = new ResizeObserver(() => {
      if (picture.clientWidth && Math.abs(picture.clientWidth - drawnAt) > 1) redraw();
    });
    resized.observe(picture);
    model.on("change:chart", redraw);
    model.on("change:status", say);
    model.on("change:result", report);
    redraw();
    say();
    report();
    return () => {
      stop();
      resized.disconnect();
      model.off("change:chart", redraw);
      model.off("change:status", say);
      model.off("change:result", report);
    };
  },
};
