"use strict";
// The theme: the system's until the button says otherwise.
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => { button.textContent = dark() ? "light" : "dark"; button.ariaLabel = `${button.textContent} theme`; };
  const kept = { get: () => { try { return localStorage.getItem("vlcheck-theme"); } catch { return null; } },
    set: (value) => { try { localStorage.setItem("vlcheck-theme", value); } catch { /* a browser may forbid it */ } } };
  if (["dark", "light"].includes(kept.get())) root.dataset.theme = kept.get();
  button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; kept.set(root.dataset.theme); label(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
  button.hidden = false;
  label();
})();
