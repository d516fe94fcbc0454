// @ts-check
/** Follows work that goes on behind the page: `<div data-progress="ADDRESS">` with a `<progress>` in it. */

const ASK_EVERY_MS = 700;

/** @param {HTMLElement} place */
async function follow(place) {
  const bar = place.querySelector('progress');
  const text = place.querySelector('[data-progress-text]');
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    const answer = await fetch(place.dataset.progress ?? '', { headers: { accept: 'application/json' } }).catch(
      () => undefined,
    );
    // The service may be starting again: the next answer tells.
    if (answer === undefined) continue;
    if (!answer.ok) break;
    const work = await answer.json();
    if (work.state !== 'running') break;
    if (bar !== null && work.total > 0) {
      bar.max = work.total;
      bar.value = work.done;
    }
    if (text !== null && work.text !== undefined) text.textContent = work.text;
  }
  location.reload();
}

for (const place of document.querySelectorAll('[data-progress]')) {
  if (place instanceof HTMLElement) void follow(place);
}
