"use strict";
// The filter of the matrix; without JavaScript there is none.
const form = document.getElementById("filter");
if (form) {
  const rows = [...document.querySelectorAll("tr[data-level]")];
  const checked = (name) =>
    new Set([...form.elements[name]].filter((box) => box.checked).map((box) => box.value));
  const apply = () => {
    const levels = checked("level");
    const verdicts = checked("verdict");
    for (const row of rows) {
      row.hidden = !(
        levels.has(row.dataset.level) &&
        [...row.querySelectorAll("td")].some((cell) => verdicts.has(cell.dataset.verdict))
      );
    }
    for (const body of document.querySelectorAll(".matrix tbody")) {
      const own = [...body.querySelectorAll("tr[data-level]")];
      body.hidden = own.length > 0 && own.every((row) => row.hidden);
    }
    const shown = rows.filter((row) => !row.hidden).length;
    document.getElementById("shown").textContent = `${shown} of ${rows.length} clauses`;
  };
  form.addEventListener("change", apply);
  // A form is reset only after its event.
  form.addEventListener("reset", () => setTimeout(apply));
  document.getElementById("problems").addEventListener("click", () => {
    for (const box of form.elements.verdict) {
      box.checked = ["broken", "unreached", "declared", "fault"].includes(box.value);
    }
    apply();
  });
  form.hidden = false;
  apply();
}
// A link to a case opens it.
const open = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
};
addEventListener("hashchange", open);
open();
