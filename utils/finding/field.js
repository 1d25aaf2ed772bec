// A search field, and what was found as a list of links.

// The same link elsewhere on the page, in a table: there the front end itself knows how to open it.
function twinOf(link, own) {
  const wanted = new URL(link.getAttribute("href"), "http://here/");
  return [...document.querySelectorAll("a[href]")].find(
    (other) =>
      !own.contains(other) && other.hash === wanted.hash && other.pathname.endsWith(wanted.pathname),
  );
}

function open(event, own) {
  const plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.button);
  const twin = plain && twinOf(event.currentTarget, own);
  if (!twin) return; // the browser follows it
  event.preventDefault();
  twin.click();
  // A notebook that opens for the first time may not have its cells yet: JupyterLab then stays at
  // the top. Where it covers this page, ask once more.
  setTimeout(() => {
    if (own.isConnected && own.getClientRects().length === 0) twin.click();
  }, 2500);
}

function item(hit, own) {
  const line = element("li");
  const link = element("a", { href: hit.link }, hit.title);
  link.addEventListener("click", (event) => open(event, own));
  line.append(link, element("p", { class: "pib-answer" }, hit.answer));
  line.append(element("p", { class: "pib-part" }, `found by its ${hit.part}`));
  return line;
}

function counted(hits) {
  if (hits.length === 0) return "Nothing found. Other words, or a part of the message, may help.";
  return `${hits.length} found, the best first. Arrow down goes through them, Enter opens.`;
}

export default {
  render({ model, el }) {
    const id = `pib-find-${Date.now().toString(36)}-${made++}`;
    const box = element("div", { class: "pib-find", role: "search", "data-lm-suppress-shortcuts": "true" });
    const field = element("input", { type: "search", id, autocomplete: "off", spellcheck: "false" });
    const status = element("p", { role: "status", class: "pib-found" });
    const list = element("ol", { "aria-label": "what was found" });
    box.append(element("label", { for: id }, model.get("label")), field, status, list);
    el.append(box);
    let waiting;

    const links = () => [...list.querySelectorAll("a")];
    const ask = () => {
      model.set("text", field.value);
      model.save_changes();
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        status.textContent = "No answer yet. Is the kernel running, or busy?";
      }, 3000);
      show();
    };
    const show = () => {
      const { text, hits } = { text: "", hits: [], ...model.get("answer") };
      if (field.value.trim() === "") {
        clearTimeout(waiting);
        status.textContent = "";
        list.replaceChildren();
      } else if (text === field.value) {
        clearTimeout(waiting);
        status.textContent = counted(hits);
        list.replaceChildren(...hits.map((hit) => item(hit, box)));
        box.dataset.answered = text;
      }
    };

    field.addEventListener("input", ask);
    box.addEventListener("keydown", (event) => {
      const found = links();
      const place = found.indexOf(document.activeElement); // -1 is the field itself
      const steps = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: found.length - 1 };
      event.stopPropagation(); // JupyterLab would walk through headings and cells
      if (event.key === "Escape") {
        field.value = "";
        field.focus();
        ask();
      } else if (event.key === "Enter" && place < 0) {
        found[0]?.click();
      } else if (event.key in steps && (place >= 0 || event.key.startsWith("Arrow"))) {
        const next = steps[event.key];
        if (next < 0) field.focus();
        else found[next]?.focus();
      } else {
        return;
      }
      event.preventDefault();
    });
    field.value = model.get("text");
    model.on("change:answer", show);
    show();
    return () => {
      clearTimeout(waiting);
      model.off("change:answer", show);
    };
  },
};
