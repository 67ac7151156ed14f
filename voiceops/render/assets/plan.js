"use strict";
(() => {
  const changes = [...document.querySelectorAll(".change")];
  const search = document.getElementById("search");
  const count = document.getElementById("count");
  const empty = document.getElementById("empty");
  const chips = [...document.querySelectorAll("button[data-word]")];
  const all = document.getElementById("all");
  // The text of a change is read once, when somebody first searches for it.
  const texts = new Map();
  const textOf = (change) => {
    if (!texts.has(change)) texts.set(change, (change.dataset.address + " " + change.textContent).toLowerCase());
    return texts.get(change);
  };

  const filter = () => {
    const asked = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const words = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.word);
    let shown = 0;
    for (const change of changes) {
      const fits =
        (!words.length || words.includes(change.dataset.word)) && asked.every((part) => textOf(change).includes(part));
      change.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    count.textContent = shown === changes.length ? `${shown} changes` : `${shown} of ${changes.length} changes`;
    empty.hidden = shown > 0;
  };

  const visible = () => changes.filter((change) => !change.hidden);
  const openAll = (open) => {
    for (const change of visible()) change.open = open;
    all.textContent = open ? "Close all" : "Open all";
  };
  const step = (by) => {
    const list = visible().map((change) => change.querySelector("summary"));
    const here = list.findIndex((summary) => summary === document.activeElement);
    const next = list[here < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, here + by))];
    if (next) next.focus();
  };
  const reveal = () => {
    const named = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const target = named && named.closest(".change");
    if (!target) return;
    target.hidden = false;
    target.open = true;
    target.scrollIntoView();
    target.querySelector("summary").focus({ preventScroll: true });
  };

  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") === "true" ? "false" : "true");
      filter();
    });
  }
  search.addEventListener("input", filter);
  all.addEventListener("click", () => openAll(visible().some((change) => !change.open)));
  window.addEventListener("hashchange", reveal);
  // On paper everything is open.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const one of closed) one.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      filter();
      search.blur();
    }
    if (event.target.matches("input")) return;
    const action = { "/": () => search.focus(), j: () => step(1), k: () => step(-1), o: () => all.click() }[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });
  filter();
  reveal();
})();
