"use strict";
(() => {
  // The name of a figure shows its meaning on hover, focus and touch; without this script it only leads to the glossary.
  // Screen readers have the meaning from aria-describedby, so the tip is hidden from them.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  let shown = null, waiting = 0, held = null;
  const termOf = (event) => event.target instanceof Element ? event.target.closest("a.term") : null;
  const hide = () => { tip.hidden = true; shown = null; };
  const show = (link) => {
    clearTimeout(waiting);
    shown = link;
    tip.textContent = document.getElementById(link.getAttribute("aria-describedby")).textContent;
    tip.hidden = false;
    const at = link.getBoundingClientRect(), wide = document.documentElement.clientWidth;
    const below = at.bottom + tip.offsetHeight + 12 < innerHeight;
    tip.style.left = `${scrollX + Math.max(8, Math.min(at.left, wide - tip.offsetWidth - 8))}px`;
    tip.style.top = `${scrollY + (below ? at.bottom + 4 : at.top - tip.offsetHeight - 4)}px`;
  };
  addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const link = termOf(event);
    if (link) show(link);
    else if (tip.contains(event.target)) clearTimeout(waiting);
    else if (shown && document.activeElement !== shown) { clearTimeout(waiting); waiting = setTimeout(hide, 200); }
  });
  addEventListener("focusin", (event) => { const link = termOf(event); if (link) show(link); else if (shown) hide(); });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  // The first touch shows the meaning, the second one goes to the glossary, one elsewhere hides it.
  addEventListener("pointerdown", (event) => {
    held = event.pointerType === "touch" ? { link: termOf(event), before: shown } : null;
    if (!termOf(event) && !tip.contains(event.target)) hide();
  });
  addEventListener("click", (event) => {
    const link = termOf(event);
    if (link && held && held.link === link && held.before !== link) { event.preventDefault(); show(link); }
    else if (link) hide();
    held = null;
  });
})();
