// What a page can do better with a script than without; nothing here is needed.
"use strict";

// An invitation stays behind the # of the link: it is put into the form, and taken out of the address.
const invitation = document.getElementById("invitation");
if (invitation && /^#dwi_[0-9a-f]+$/.test(location.hash)) {
  invitation.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  const holder = document.querySelector("[data-holds-invitation]");
  if (holder && holder.tagName === "DETAILS") holder.open = true;
}

// A password can be looked at while it is typed.
for (const button of document.querySelectorAll("[data-shows]")) {
  const input = document.getElementById(button.dataset.shows);
  button.hidden = false;
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const shows = input.type === "password";
    input.type = shows ? "text" : "password";
    button.textContent = shows ? "Hide" : "Show";
    button.setAttribute("aria-pressed", String(shows));
    input.focus();
  });
}

// What is shown once can be copied.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copies);
      const codes = [...source.querySelectorAll("code")].map((code) => code.textContent);
      await navigator.clipboard.writeText(codes.length ? codes.join("\n") : source.textContent);
      button.textContent = "Copied";
    });
  }
}

// A key counts down. The time it has is the server's word; this machine's clock only measures from here on.
for (const timer of document.querySelectorAll("[data-seconds]")) {
  const words = timer.querySelector("[data-left]");
  const until = performance.now() + Number(timer.dataset.seconds) * 1000;
  const tick = () => {
    const left = Math.max(0, Math.ceil((until - performance.now()) / 1000));
    const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    words.textContent = left ? `Holds for ${clock}` : "This key has run out. Ask for a new one.";
    timer.classList.toggle("is-over", left === 0);
    if (!left) clearInterval(ticking);
  };
  const ticking = setInterval(tick, 1000);
  tick();
}

// What needs another look is where the eyes and the keyboard go first.
document.querySelector(".problems")?.focus();
