"use strict";
// The rows of a table are moved, so that a screen reader reads the order that is seen.
(() => {
  const said = document.getElementById("sorted");
  const orders = { model: ["ascending", "descending"], date: ["descending", "ascending"], status: ["ascending", "descending"] };
  const words = { model: { ascending: "by model, from A", descending: "by model, from Z" },
    date: { ascending: "by date, the oldest first", descending: "by date, the latest first" },
    status: { ascending: "the gravest first", descending: "the least grave first" } };
  const compare = (a, b, by) => (by === "model" ? (a < b ? -1 : a > b ? 1 : 0) : Number(a) - Number(b));
  const last = (value, by) => by === "status" && Number(value) >= 98; // nothing to sort by: not comparable, not asked

  for (const table of document.querySelectorAll("table.models")) {
    const body = table.tBodies[0], drawn = [...body.rows], heads = [...table.tHead.rows[0].cells];
    const name = table.closest("section").querySelector("h2").firstChild.textContent.trim().replace(/:$/, "");
    const sort = (place) => {
      const head = heads[place], by = head.dataset.by, next = [...orders[by], null];
      const order = next[(next.indexOf(head.getAttribute("aria-sort")) + 1) % next.length];
      for (const one of heads) one.removeAttribute("aria-sort");
      const value = (row) => row.cells[place].dataset.sort;
      const rows = [...drawn];
      if (order) {
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        rows.sort((one, other) => {
          const [a, b] = [value(one), value(other)];
          return last(a, by) - last(b, by) || sign * compare(a, b, by);
        });
      }
      body.append(...rows);
      said.textContent = `${name}: ${order ? `${head.textContent.trim()}, ${words[by][order]}` : "in the order of the files"}.`;
    };
    heads.forEach((head, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(place));
      head.append(button);
    });
    table.tHead.dataset.buttons = "";
  }
})();
