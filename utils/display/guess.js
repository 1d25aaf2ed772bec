// A question above its controls.
export default {
  render({ model, el }) {
    el.classList.add("pib");
    el.append(element("p", { class: "pib-title" }, model.get("title")));
    return drawControls(model, el);
  },
};
