import { count, open, problem, tell } from "./basket.js";

const basket = await open(count);

for (const button of basket ? document.querySelectorAll("button[data-sku]") : []) {
  const { sku, name } = button.dataset;
  button.disabled = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await basket.add(sku);
      tell(`${name} is in your cart.`);
    } catch (error) {
      problem(error);
    } finally {
      button.disabled = false;
    }
  });
}
