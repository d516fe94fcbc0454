// @ts-check
/** Keeps a list of exports current: how far each is, and how long its link lives; loads the page again when one has moved on. */

const ASK_EVERY_MS = 2000;

const items = [...document.querySelectorAll('[data-capture]')].filter((item) => item instanceof HTMLElement);
/** The list of the status page is of all that is under way; another one is of those that it names. */
const isOfNamed = document.querySelector('[data-captures="named"]') !== null;
const open = items.filter(
  ({ dataset }) => !['committed', 'duplicate', 'unchanged', 'refused', 'expired'].includes(dataset.state ?? ''),
);

/** @param {number} ms */
function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600), Math.floor(seconds / 60)];
  if (days >= 2) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

function countDown() {
  for (const line of document.querySelectorAll('[data-deadline]')) {
    if (line instanceof HTMLElement)
      line.textContent = `Its link dies in ${duration(Number(line.dataset.deadline) - Date.now())}.`;
  }
}

/** Moments in it as `times.js` takes them. @param {string} text */
function withMoments(text) {
  return text.split(/(\d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC)/).map((piece, index) => {
    if (index % 2 === 0) return document.createTextNode(piece);
    const time = document.createElement('time');
    time.dateTime = piece.replace(' ', 'T').replace(' UTC', 'Z');
    time.textContent = piece;
    return time;
  });
}

/**
 * @typedef {{ id: string, state: string, text: string, done: number | null, total: number | null }} Capture
 * @param {Capture} capture
 */
function show({ id, text, done, total }) {
  const item = open.find(({ dataset }) => dataset.capture === id);
  const line = item?.querySelector('[data-text]');
  if (line instanceof HTMLElement && line.dataset.text !== text) {
    line.dataset.text = text;
    line.replaceChildren(...withMoments(text.replaceAll('`', '')));
  }
  const bar = item?.querySelector('progress');
  if (bar && done !== null && total !== null && total > 0) {
    bar.max = total;
    bar.value = done;
  }
}

/** @param {Capture[]} captures */
function hasMovedOn(captures) {
  const now = captures.map(({ id, state }) => `${id} ${state}`).sort();
  const before = open.map(({ dataset }) => `${dataset.capture} ${dataset.state}`).sort();
  return now.join() !== before.join();
}

async function ask() {
  const query = isOfNamed ? `?${new URLSearchParams(open.map(({ dataset }) => ['id', dataset.capture ?? '']))}` : '';
  const answer = await fetch(`/captures${query}`).catch(() => undefined);
  // Signed out, most likely: the page says so.
  if (answer?.status === 401) location.reload();
  if (answer === undefined || !answer.ok) return;
  const captures = await answer.json();
  if (hasMovedOn(captures)) location.reload();
  else for (const capture of captures) show(capture);
}

countDown();
setInterval(countDown, 1000);
if (!isOfNamed || open.length > 0) {
  const look = async () => {
    if (!document.hidden) await ask();
    setTimeout(look, ASK_EVERY_MS);
  };
  setTimeout(look, ASK_EVERY_MS);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void ask();
  });
}
