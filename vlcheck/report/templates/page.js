"use strict";
(() => {
  const all = (what, within = document) => [...within.querySelectorAll(what)];

  // Rows above a place take their heights when they come near the window: it is gone to again until it stays.
  const settle = (place, frames = 8) => {
    place.scrollIntoView();
    if (frames) requestAnimationFrame(() => settle(place, frames - 1));
  };

  // A link to a verdict or a row opens it.
  const open = (anchor) => {
    const there = document.getElementById(anchor);
    if (!there) return;
    for (let at = there; at; at = at.parentElement) {
      if (at.tagName === "DETAILS") at.open = true;
      at.hidden = false;
    }
    const head = there.closest("details.verdict"), row = there.closest(".row");
    settle(row || head || there);
    if (row) row.focus({ preventScroll: true });
    else if (head) head.querySelector("summary").focus({ preventScroll: true });
  };
  // One map at a time: two over each other would look like one.
  document.addEventListener("change", (event) => {
    if (!event.target.matches(".method input:checked")) return;
    for (const other of all(".method input", event.target.closest(".row, .example"))) other.checked = other === event.target;
  });

  // Filters hide; sorting puts as many of each verdict in front as at first.
  const form = document.getElementById("filter"), nothing = document.getElementById("no-fit");
  if (!form) return; // a page without a verdict
  const verdicts = all(".verdict").map((element) => ({
    element, status: element.dataset.status, bias: element.dataset.bias,
    lists: all(".rows", element), front: element.querySelector(".rows")?.children.length, more: element.querySelector(".more"),
    rows: all(".row", element).map((row, place) => ({ element: row, place, outcome: row.dataset.outcome, text: row.dataset.text, explained: "explained" in row.dataset,
      margin: row.dataset.margin === "" ? NaN : Number(row.dataset.margin), rank: Number(row.dataset.rank) || Infinity })),
  }));
  const number = (a, b) => (Number.isNaN(a) ? 1 : 0) - (Number.isNaN(b) ? 1 : 0) || a - b || 0;
  const orders = { telling: (a, b) => a.place - b.place, rank: (a, b) => (a.rank === b.rank ? a.place - b.place : a.rank - b.rank), up: (a, b) => number(a.margin, b.margin),
    down: (a, b) => number(-a.margin, -b.margin), case: (a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0) };
  const arrange = (one, order) => {
    const rows = [...one.rows].sort((a, b) => a.element.hidden - b.element.hidden || orders[order](a, b));
    rows.forEach((row, place) => one.lists[place < one.front ? 0 : 1].append(row.element));
    if (one.more) {
      const rest = rows.slice(one.front).filter((row) => !row.element.hidden).length;
      one.more.hidden = !rest;
      one.more.querySelector("summary").textContent = `${rest} more`;
    }
  };
  const counted = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;
  const filter = () => {
    const field = form.elements, wanted = field.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const explained = Boolean(field.explained && field.explained.checked);
    const picky = Boolean(wanted.length || explained || field.outcome.value);
    let rows = 0, shown = 0;
    for (const one of verdicts) {
      let fitting = 0;
      for (const row of one.rows) {
        row.element.hidden = !(wanted.every((word) => row.text.includes(word)) && (!field.outcome.value || row.outcome === field.outcome.value)
          && (!explained || row.explained));
        fitting += !row.element.hidden;
      }
      const fits = (!field.status.value || one.status === field.status.value)
        && (!field.bias.value || one.bias === field.bias.value) && (!picky || fitting > 0);
      one.element.hidden = !fits;
      if (fits) { shown += 1; rows += fitting; }
      if (fits && (wanted.length || explained)) one.element.open = true;
      if (one.lists.length) arrange(one, field.sort.value);
    }
    for (const bias of all(".bias")) bias.hidden = !all(".verdict", bias).some((one) => !one.hidden);
    field.found.value = shown ? `${counted(rows, "row")} of ${counted(shown, "verdict")}` : "no row that is shown here fits";
    nothing.hidden = shown > 0;
  };

  // The address keeps them, "#anchor?filters", so that it can be shared, and the back button undoes them.
  const fields = [...form.elements].filter((field) => field.matches("select, input"));
  const isSet = (field) => (field.type === "checkbox" ? field.checked : field.value && field.selectedIndex !== 0);
  const query = () => new URLSearchParams(fields.filter(isSet).map((field) => [field.name, field.value])).toString();
  const address = () => {
    const [anchor, ...said] = location.hash.slice(1).split("?");
    return { anchor, filters: new URLSearchParams(said.join("?")) };
  };
  const write = (anchor, how) => {
    const hash = `#${anchor}${query() && `?${query()}`}`;
    if (how === "pushState" && hash === (location.hash || "#")) return;
    try { history[how]({ written: true }, "", hash === "#" && !location.hash ? undefined : hash); } catch { /* a browser may forbid it: the address stays */ }
  };
  const read = ({ filters }) => {
    const before = query();
    for (const field of fields) {
      const value = filters.get(field.name);
      if (field.type === "checkbox") field.checked = value !== null;
      else if (field.type === "search") field.value = value ?? "";
      else field.selectedIndex = Math.max(0, [...field.options].findIndex((option) => option.value === value));
    }
    if (query() !== before) filter();
  };
  let waiting = 0, typedIn = null;
  form.addEventListener("input", ({ target }) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      filter();
      write("", target === typedIn ? "replaceState" : "pushState"); // a word that is typed is one step
      typedIn = target.type === "search" ? target : null;
    }, 120);
  });
  const follow = () => {
    const there = address();
    typedIn = null;
    if (history.state || location.hash.includes("?")) read(there);
    write(there.anchor, "replaceState"); // a link on the page has no filters: they stay as they are
    open(there.anchor);
  };
  addEventListener("hashchange", follow);
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const every of all("[data-all]", form)) {
    every.addEventListener("click", () => verdicts.forEach((one) => { one.element.open = every.dataset.all === "open"; }));
  }
  form.reset();
  form.addEventListener("reset", () => setTimeout(() => { // they are reset then
    if (nothing.contains(document.activeElement)) form.elements.search.focus();
    filter();
    write("", "pushState");
  }));
  form.hidden = false;
  follow();
})();
