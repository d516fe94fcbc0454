// @ts-check
/** Sends the files one after the other, and shows how far each is. Without it, the browser sends the form. */

const form = document.querySelector('form[data-upload]');
const list = document.querySelector('[data-files]');

/** @param {number} bytes */
function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let value = bytes;
  for (; value >= 999.5 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** @param {File} file */
async function isZip(file) {
  const bytes = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  return [0x50, 0x4b, 0x03, 0x04].every((byte, index) => bytes[index] === byte);
}

/** @param {string} tag @param {string} [text] */
function element(tag, text) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  return made;
}

/**
 * @param {File} file
 * @param {string} token
 * @param {(sent: number) => void} onProgress
 * @param {AbortSignal} signal
 * @returns {Promise<{ kind: 'taken', capture: string } | { kind: 'refused', reason: string }>}
 */
function send(file, token, onProgress, signal) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const broken = 'The connection was lost before all had arrived. Nothing of it was kept; try again.';
    request.open('POST', `/upload?${new URLSearchParams({ name: file.name })}`);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.setRequestHeader('x-csrf-token', token);
    request.upload.addEventListener('progress', ({ loaded }) => onProgress(loaded));
    request.addEventListener('error', () => resolve({ kind: 'refused', reason: broken }));
    request.addEventListener('abort', () => resolve({ kind: 'refused', reason: 'Stopped. Nothing of it was kept.' }));
    request.addEventListener('load', () => {
      if (request.status === 401 || request.status === 403) location.reload();
      else if (request.getResponseHeader('content-type')?.startsWith('application/json'))
        resolve(JSON.parse(request.responseText));
      else resolve({ kind: 'refused', reason: broken });
    });
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}

/** @param {File} file @param {string} token @param {number} free */
async function handIn(file, token, free) {
  const item = element('li');
  const bar = document.createElement('progress');
  bar.max = file.size;
  bar.value = 0;
  bar.setAttribute('aria-label', `Sent of ${file.name}`);
  const text = element('span', 'waiting');
  const stop = document.createElement('button');
  stop.type = 'button';
  stop.textContent = 'Stop';
  item.append(element('strong', file.name), ' ', text, bar, stop);
  list?.append(item);
  const stopping = new AbortController();
  stop.addEventListener('click', () => stopping.abort());
  const outcome = !(await isZip(file))
    ? { kind: 'refused', reason: 'This is not a ZIP file. Choose the ZIP as ChatGPT gave it.' }
    : file.size > free
      ? { kind: 'refused', reason: `It has ${size(file.size)}, and ${size(free)} are free: make room first.` }
      : await send(
          file,
          token,
          (sent) => {
            bar.value = sent;
            text.textContent =
              sent < file.size ? `${size(sent)} of ${size(file.size)}` : 'arrived, and is being looked at';
          },
          stopping.signal,
        );
  bar.remove();
  stop.remove();
  text.textContent = 'reason' in outcome ? `was not taken. ${outcome.reason}` : 'arrived';
  return 'capture' in outcome ? outcome.capture : undefined;
}

if (form instanceof HTMLFormElement) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const files = data.getAll('file').filter((file) => file instanceof File && file.name !== '');
    const button = form.querySelector('button');
    if (button) button.disabled = true;
    const leaving = (/** @type {BeforeUnloadEvent} */ unload) => unload.preventDefault();
    addEventListener('beforeunload', leaving);
    const taken = [];
    for (const file of files) {
      if (!(file instanceof File)) continue;
      const capture = await handIn(file, String(data.get('csrf')), Number(form.dataset.freeBytes));
      if (capture !== undefined) taken.push(capture);
    }
    removeEventListener('beforeunload', leaving);
    if (button) button.disabled = false;
    const address = `/upload?${new URLSearchParams(taken.map((id) => ['taken', id]))}`;
    if (taken.length === files.length) location.assign(address);
    else if (taken.length > 0) {
      // What was refused stays to be read.
      const link = document.createElement('a');
      link.href = address;
      link.textContent = 'See what becomes of what has arrived';
      const item = element('li');
      item.append(link);
      list?.append(item);
    }
  });
}
