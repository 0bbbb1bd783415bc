// JavaScript improves; nothing needs it.
import {
  Button,
  CharacterCount,
  Checkboxes,
  createAll,
  ErrorSummary,
  NotificationBanner,
  PasswordInput,
  Radios,
  SkipLink,
} from "govuk-frontend/dist/govuk/all.mjs";

createAll(Button, { preventDoubleClick: true });
for (const component of [
  CharacterCount,
  Checkboxes,
  ErrorSummary,
  NotificationBanner,
  PasswordInput,
  Radios,
  SkipLink,
]) {
  createAll(component);
}

// A filter answers as soon as a choice is made; its button stays for everybody else.
for (const form of document.querySelectorAll("form[data-filter]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, input[type=radio], input[type=checkbox]")) form.requestSubmit();
  });
}

// "Print this page" has no meaning without a script, so it only appears with one.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A preview follows what is typed; its button stays for everybody else.
for (const place of document.querySelectorAll("[data-preview]")) {
  const form = place.querySelector("form");
  let waiting;
  let asked = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const turn = ++asked;
      const sent = new FormData(form);
      sent.set("act", "preview");
      const answer = await fetch(location.href, { method: "POST", body: sent });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const shown = page.querySelector(answer.ok ? "#preview-area" : ".govuk-error-summary");
      const area = place.querySelector("#preview-area");
      if (turn !== asked || !shown || !area) return;
      if (answer.ok) area.replaceWith(document.importNode(shown, true));
      else area.querySelector("pre, p")?.replaceChildren(shown.textContent.replace(/\s+/g, " ").trim());
    }, 500);
  });
}
