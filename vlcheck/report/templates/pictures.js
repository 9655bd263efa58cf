"use strict";
// A picture opens in a dialog, beside the other one of its row; arrow keys go on to the next picture.
(() => {
  const dialog = document.getElementById("close-up");
  const [name, count, told, pair] = ["h2", ".count", ".told", ".pair"].map((part) => dialog.querySelector(part));
  const steps = [...dialog.querySelectorAll("[data-step]")];
  let shown = null; // the picture of the page that the dialog shows

  for (const picture of document.querySelectorAll(".pair svg.picture")) {
    picture.setAttribute("role", "button");
    picture.setAttribute("aria-haspopup", "dialog");
    picture.tabIndex = 0;
  }

  // The pictures of the same verdict, or of all examples; without those that a filter hides.
  const all = () => [...shown.closest(".verdict, #found").querySelectorAll(".pair svg.picture")]
    .filter((picture) => !picture.closest("[hidden]"));

  const copied = (figure) => {
    const copy = figure.cloneNode(true), picture = copy.querySelector("svg.picture");
    if (picture) {
      picture.setAttribute("role", "img");
      picture.removeAttribute("aria-haspopup");
      picture.tabIndex = -1;
    }
    return copy;
  };

  // A line of the row, without its links: they lead to places behind the dialog.
  const plain = (line) => {
    const copy = line.cloneNode(true);
    for (const link of copy.querySelectorAll("a")) link.replaceWith(...link.childNodes);
    return copy;
  };

  const draw = (pictures) => {
    const row = shown.closest(".row, .example"), verdict = row.closest(".verdict"), at = pictures.indexOf(shown);
    name.textContent = row.querySelector("h5")?.textContent ?? row.querySelector(".count").textContent;
    const lines = [...row.querySelectorAll(":scope > .meta, :scope > .violated, :scope > .words, :scope > .method")];
    const expected = document.createElement("p");
    expected.textContent = verdict?.querySelector(".expected")?.textContent ?? "";
    told.replaceChildren(...(expected.textContent ? [expected] : []), ...lines.map(plain));
    pair.replaceChildren(...[...row.querySelectorAll(".pair > figure")].map(copied));
    count.textContent = `picture ${at + 1} of ${pictures.length}`;
    for (const button of steps) button.ariaDisabled = String(!pictures[at + Number(button.dataset.step)]);
  };

  const current = () => {
    const place = [...shown.closest(".pair").querySelectorAll(".picture")].indexOf(shown);
    return pair.querySelectorAll(".picture")[place];
  };

  // The picture with its lines, of which the picture comes first where not all of them fit.
  const reveal = () => {
    const figure = current().closest("figure"), fits = figure.offsetHeight < dialog.clientHeight - 110;
    (fits ? figure : current()).scrollIntoView({ block: "nearest" });
  };

  const step = (by) => {
    const pictures = all(), next = pictures[pictures.indexOf(shown) + by];
    if (!next) return false;
    shown = next;
    draw(pictures);
    return true;
  };

  const open = (picture) => {
    shown = picture;
    draw(all());
    dialog.showModal();
    dialog.scrollTop = 0;
    current().focus();
    reveal();
  };

  document.addEventListener("click", (event) => {
    const picture = event.target.closest(".pair svg.picture");
    if (picture && !dialog.contains(picture)) open(picture);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    if (dialog.open || !event.target.matches(".pair svg.picture")) return;
    event.preventDefault();
    open(event.target);
  });
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (!step(by)) return;
    current().focus();
    reveal();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.matches("[data-close]")) dialog.close();
    else if (event.target.matches("[data-step]") && step(Number(event.target.dataset.step))) reveal();
  });
  // The focus comes back to the picture that was shown last.
  dialog.addEventListener("close", () => {
    for (let at = shown; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    shown.focus();
  });
})();
