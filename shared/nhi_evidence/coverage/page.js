"use strict";
const marks = [...document.querySelectorAll(".map .mark")];
const cells = document.getElementById("cells");
cells.classList.toggle("chosen", Boolean(location.hash));
addEventListener("hashchange", () => {
  cells.classList.toggle("chosen", Boolean(location.hash));
  const chosen = location.hash && document.getElementById(location.hash.slice(1));
  if (chosen) { chosen.focus({ preventScroll: true }); chosen.scrollIntoView({ block: "nearest" }); }
});
function near(from, down) {
  const own = from.getBoundingClientRect();
  const rows = marks.filter((mark) => Math.sign(mark.getBoundingClientRect().top - own.top) === down);
  if (!rows.length) return from;
  const edge = rows.reduce((best, mark) => {
    const top = mark.getBoundingClientRect().top;
    return Math.abs(top - own.top) < Math.abs(best - own.top) ? top : best;
  }, Infinity);
  const row = rows.filter((mark) => mark.getBoundingClientRect().top === edge);
  return row.reduce((best, mark) =>
    Math.abs(mark.getBoundingClientRect().left - own.left) <
    Math.abs(best.getBoundingClientRect().left - own.left) ? mark : best, row[0]);
}
addEventListener("keydown", (event) => {
  const at = marks.indexOf(document.activeElement);
  if (event.key === "Escape" && location.hash) {
    const from = marks.find((mark) => mark.hash === location.hash);
    location.hash = "";
    (from || marks[0])?.focus();
    event.preventDefault();
  }
  if (at < 0) return;
  const next = { ArrowRight: marks[at + 1], ArrowLeft: marks[at - 1],
    ArrowDown: near(marks[at], 1), ArrowUp: near(marks[at], -1) }[event.key];
  if (next) { next.focus(); event.preventDefault(); }
});
