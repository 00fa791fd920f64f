// @ts-check
// The choice of light or dark without a new page, which would forget what was typed. Without this module the form is
// sent like any other, and does the same.

const form = document.querySelector("form.theme");
if (form instanceof HTMLFormElement) {
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!(button instanceof HTMLButtonElement)) return;
    event.preventDefault();
    const root = document.documentElement;
    if (button.value === "system") delete root.dataset.theme;
    else root.dataset.theme = button.value;
    for (const each of form.querySelectorAll("button")) {
      each.setAttribute("aria-pressed", String(each === button));
    }
    const body = new URLSearchParams({ theme: button.value, next: "/" });
    // What is shown is chosen already; that it is kept can fail without harm.
    fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => undefined);
  });
}
