// What the pages do better with a script. Without it every form and link still works.
"use strict";

// A dialog that the server has opened becomes a modal one: focus stays inside, Escape closes it.
function openModals(root) {
  for (const dialog of root.querySelectorAll("dialog[data-modal]")) {
    if (dialog.matches(":modal")) continue;
    dialog.close();
    dialog.showModal();
  }
}

// Closing a dialog goes where its Cancel goes, so that the page's address says what is shown.
document.addEventListener("cancel", (event) => {
  const leave = event.target.querySelector("[data-close]");
  if (leave) { event.preventDefault(); leave.click(); }
}, true);

// Menus close when the visitor clicks elsewhere or presses Escape, which gives the focus back.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// On narrow screens the resource's menu begins folded.
function foldMenus() {
  if (!window.matchMedia("(max-width: 800px)").matches) return;
  for (const menu of document.querySelectorAll("details.fold")) menu.open = false;
}

// A button beside what one copies.
function offerCopies(root) {
  if (!navigator.clipboard) return;
  for (const text of root.querySelectorAll("[data-copy]")) {
    if (text.dataset.copy === "offered") continue;
    text.dataset.copy = "offered";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = document.body.dataset.wordCopy;
    button.setAttribute("aria-label", `${document.body.dataset.wordCopy}: ${text.dataset.name || text.textContent}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = document.body.dataset.wordCopied;
    });
    text.after(button);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  openModals(document);
  foldMenus();
  offerCopies(document);
});
document.addEventListener("htmx:load", (event) => { openModals(event.target); offerCopies(event.target); });

// What scrolls sideways can be scrolled by keyboard.
function reachScrollers() {
  for (const box of document.querySelectorAll(".table")) {
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
document.addEventListener("DOMContentLoaded", reachScrollers);
document.addEventListener("htmx:load", reachScrollers);
window.addEventListener("resize", reachScrollers);
