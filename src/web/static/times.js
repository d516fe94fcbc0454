// @ts-check
/** Shows moments in the time zone of this browser, with UTC as their tooltip; without scripts they stay in UTC. */

const format = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
});

/** @param {HTMLTimeElement} time */
function showHere(time) {
  const at = new Date(time.dateTime);
  // Days have no time, and no zone.
  if (!time.dateTime.includes('T') || Number.isNaN(at.getTime()) || time.title !== '') return;
  const { year, month, day, hour, minute, timeZoneName } = Object.fromEntries(
    format.formatToParts(at).map(({ type, value }) => [type, value]),
  );
  time.title = time.textContent ?? '';
  time.textContent = `${year}-${month}-${day} ${hour}:${minute} ${timeZoneName}`;
}

/** @param {ParentNode} place */
function showAllIn(place) {
  for (const time of place.querySelectorAll('time')) showHere(time);
}

showAllIn(document);
// What other scripts add.
new MutationObserver((changes) => {
  for (const { addedNodes } of changes)
    for (const node of addedNodes) {
      if (node instanceof HTMLTimeElement) showHere(node);
      else if (node instanceof Element) showAllIn(node);
    }
}).observe(document.body, { childList: true, subtree: true });
