// @ts-check
// The hub: what is subscribed to, what is said there, and a line to say something.

import { element, part } from "./element.js";

/** @typedef {import("/doorward.js").Door} Door */
/** @typedef {import("/doorward.js").Place} Place */

/** How many messages are kept in sight. */
const KEPT = 200;

/** A chat over one door. @param {Door} door */
export function chat(door) {
  const channels = part("try-channels", HTMLUListElement);
  const messages = part("try-messages", HTMLOListElement);
  const error = part("try-error", HTMLParagraphElement);
  channels.replaceChildren();
  messages.replaceChildren();

  const text = part("try-message", HTMLInputElement);
  const label = part("try-message-label", HTMLLabelElement);
  const place = { channel: part("try-channel", HTMLInputElement), pk: part("try-pk", HTMLInputElement) };

  /** Where one talks: what was subscribed to or chosen last. @type {Place | undefined} */
  let talksIn;

  /** What the fields name: where the next message goes. @returns {Place} */
  const placeNow = () => {
    const [channel, pk] = [place.channel.value.trim(), place.pk.value.trim()];
    return pk ? { channel, pk } : { channel };
  };
  const showPlace = () => label.replaceChildren(place.channel.value ? `Message to ${placeName(placeNow())}` : "Message");
  place.channel.oninput = place.pk.oninput = showPlace;
  showPlace();

  /** @param {Place} where */
  const talkIn = (where) => {
    talksIn = where;
    place.channel.value = where.channel;
    place.pk.value = where.pk ?? "";
    showPlace();
  };

  const subscribe = async () => {
    const wanted = placeNow();
    try {
      const added = await door.subscribe(wanted);
      addChannel(added);
      talksIn = added;
    } catch (thrown) {
      if (talksIn) talkIn(talksIn);
      throw new Error(`${placeName(wanted)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  };

  /** @param {() => Promise<unknown>} what */
  const attempt = async (what) => {
    error.hidden = true;
    try {
      await what();
    } catch (thrown) {
      error.textContent = thrown instanceof Error ? thrown.message : String(thrown);
      error.hidden = false;
    }
  };

  /** @param {Place} added */
  const addChannel = (added) => {
    const name = placeName(added);
    if ([...channels.children].some((each) => each instanceof HTMLElement && each.dataset["name"] === name)) return;
    const choose = element("button", { type: "button", "aria-label": `Talk in ${name}` }, name);
    const remove = element("button", { type: "button", "aria-label": `Unsubscribe from ${name}` }, "×");
    const chip = element("li", { "data-name": name }, choose, remove);
    choose.addEventListener("click", () => {
      talkIn(added);
      text.focus();
    });
    remove.addEventListener("click", () => attempt(() => door.unsubscribe(added).then(() => removeChannel(name))));
    channels.append(chip);
  };

  /** @param {string} name */
  const removeChannel = (name) => {
    for (const chip of channels.querySelectorAll("li")) if (chip.dataset["name"] === name) chip.remove();
    if (talksIn && placeName(talksIn) === name) talksIn = undefined;
  };

  onSubmit("try-subscribe", () => attempt(subscribe));
  onSubmit("try-publish", () =>
    attempt(async () => {
      if (!place.channel.reportValidity()) return;
      await door.publish(placeNow(), text.value);
      text.value = "";
    }),
  );
  door.on("message", ({ message, ...where }) => {
    const said = typeof message === "string" ? message : JSON.stringify(message);
    const time = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    messages.append(element("li", {}, element("span", { class: "try-where" }, placeName(where)), element("span", {}, said), element("time", {}, time)));
    while (messages.children.length > KEPT) messages.firstElementChild?.remove();
    messages.scrollTop = messages.scrollHeight;
  });
  door.on("dropped", (dropped) => {
    removeChannel(placeName(dropped));
    error.textContent = `${placeName(dropped)}: ${dropped.error.message}`;
    error.hidden = false;
  });
}

/** @param {Place} place */
const placeName = ({ channel, pk }) => (pk === undefined ? channel : `${channel} ${pk}`);

/**
 * @param {string} id
 * @param {() => void} submit
 */
function onSubmit(id, submit) {
  const form = part(id, HTMLFormElement);
  form.onsubmit = (event) => {
    event.preventDefault();
    submit();
  };
}
