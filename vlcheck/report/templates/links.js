"use strict";
// Links and commands are copied; where the browser does not allow it, they are selected, to be copied by hand.
(() => {
  const BY_HAND = "The browser does not let this page copy. The text is selected: copy it with Ctrl+C or Cmd+C.";
  const texts = {
    link: (links) => location.href.split("#")[0] + links.querySelector("a").hash,
    command: (links) => links.querySelector("code").textContent,
  };
  const select = (button, text) => {
    const field = document.createElement("input");
    Object.assign(field, { readOnly: true, value: text, ariaLabel: button.textContent.replace("copy ", "") });
    button.after(field);
    field.focus();
    field.select();
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const links = button.closest(".links"), said = links.querySelector(".copied");
    links.querySelector("input")?.remove();
    said.textContent = "";
    const text = texts[button.dataset.copy](links);
    try {
      await navigator.clipboard.writeText(text); // there is no clipboard on a page by http:
      said.textContent = `Copied the ${button.dataset.copy}.`;
    } catch {
      select(button, text);
      said.textContent = BY_HAND;
    }
  });
  for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;
})();
