import { count, open, problem } from "./basket.js";

const rows = [...document.querySelectorAll("[data-sku]")];
const euros = (cents) => `€${(cents / 100).toFixed(2)}`;

const basket = await open((quantities) => {
  let total = 0;
  for (const row of rows) {
    const quantity = quantities.get(row.dataset.sku) ?? 0;
    const price = quantity * Number(row.dataset.price);
    const input = row.querySelector("input");
    row.hidden = quantity === 0;
    if (document.activeElement !== input) input.value = String(quantity);
    row.querySelector("output").textContent = euros(price);
    total += price;
  }
  document.querySelector("#empty").hidden = total > 0;
  document.querySelector("#order").hidden = total === 0;
  document.querySelector("#total").textContent = euros(total);
  count(quantities);
});

for (const row of basket ? rows : []) {
  const { sku } = row.dataset;
  const input = row.querySelector("input");
  input.addEventListener("change", () => {
    if (input.reportValidity()) basket.set(sku, Number(input.value)).catch(problem);
  });
  row.querySelector("button").addEventListener("click", () => basket.remove(sku).catch(problem));
}
