"use strict";
(function () {
  const form = document.getElementById("filter");
  const rows = Array.from(document.querySelectorAll("#rows tbody tr"));
  if (!form) { return; }
  form.hidden = false;
  const output = form.querySelector("output");
  function apply() {
    const text = form.elements.text.value.toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = ["phase", "platform", "outcome"].every(function (name) {
        const wanted = form.elements[name].value;
        return wanted === "" || row.dataset[name] === wanted;
      }) && (text === "" || row.textContent.toLowerCase().includes(text));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    output.textContent = shown + " of " + rows.length + " records";
  }
  form.addEventListener("input", apply);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  document.addEventListener("click", function (event) {
    const link = event.target.closest("svg a");
    if (!link) { return; }
    const row = document.getElementById(link.getAttribute("href").slice(1));
    if (row && row.hidden) { form.reset(); apply(); }
    if (row) { row.focus(); }
  });
  apply();
}());
