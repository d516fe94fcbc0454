// @ts-check
// Finds while one types: the same answers as without this script, only sooner. Addresses stay shareable.

const PAUSE_MS = 150;

const form = /** @type {HTMLFormElement | null} */ (document.getElementById('finder'));
const box = /** @type {HTMLInputElement | null} */ (document.getElementById('q'));
const list = document.getElementById('list');
const found = document.getElementById('found');
const told = document.getElementById('told');
const template = /** @type {HTMLTemplateElement | null} */ (document.getElementById('result'));

/** @typedef {{ address: string, title: string, by: string, at: string, time: string, pieces: string[], notes: string[] }} FoundMessage */
/** @typedef {{ count: string, titles: { address: string, title: string }[], messages: FoundMessage[] }} Found */

if (form && box && found && told && template) {
  let timer = 0;
  let current = new AbortController();
  let asked = box.value;

  box.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE_MS);
  });
  form.addEventListener('keydown', moveAmongResults);
  found.addEventListener('keydown', moveAmongResults);
  document.addEventListener('keydown', (event) => {
    const inField = event.target instanceof Element && event.target.matches('input, select, textarea');
    if (event.key !== '/' || inField || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    box.focus();
  });

  async function search() {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(/** @type {HTMLFormElement} */ (form))) {
      if (typeof value === 'string' && value.trim() !== '') query.set(name, value);
    }
    const words = query.get('q') ?? '';
    if (words === asked) return;
    asked = words;
    current.abort();
    current = new AbortController();
    const { signal } = current;
    if (words === '') {
      showList(query);
      return;
    }
    found?.setAttribute('aria-busy', 'true');
    try {
      const answer = await fetch(`/conversations/search?${query}`, { signal, headers: { accept: 'application/json' } });
      if (!answer.ok) throw new Error(`the answer is ${answer.status}`);
      show(/** @type {Found} */ (await answer.json()));
      history.replaceState(null, '', `/conversations?${query}`);
    } catch {
      // Without an answer, the page itself will say what is wrong.
      if (!signal.aborted) location.assign(`/conversations?${query}`);
    } finally {
      if (!signal.aborted) found?.removeAttribute('aria-busy');
    }
  }

  /** @param {URLSearchParams} query */
  function showList(query) {
    if (!list) {
      location.assign(`/conversations?${query}`);
      return;
    }
    history.replaceState(null, '', `/conversations?${query}`);
    list.hidden = false;
    if (found) found.hidden = true;
    say('');
  }

  /** @param {Found} answer */
  function show({ count, titles, messages }) {
    if (list) list.hidden = true;
    if (found) found.hidden = false;
    for (const gone of document.querySelectorAll('.pager, .notice')) if (!list?.contains(gone)) gone.remove();
    fill('count', [document.createTextNode(count)]);
    fill(
      'titles',
      titles.map(({ address, title }) => inItem(linkTo(address, title))),
    );
    fill('messages', messages.map(resultOf));
    say(count);
  }

  /** @param {FoundMessage} message */
  function resultOf({ address, title, by, at, time, pieces, notes }) {
    const item = /** @type {DocumentFragment} */ (
      /** @type {HTMLTemplateElement} */ (template).content.cloneNode(true)
    );
    item.querySelector('h2')?.replaceChildren(linkTo(address, title));
    item
      .querySelector('.snippet')
      ?.replaceChildren(
        ...pieces.map((piece, index) => (index % 2 === 1 ? element('mark', piece) : document.createTextNode(piece))),
      );
    item.querySelector('.by')?.replaceChildren(by);
    const moment = item.querySelector('time');
    if (moment) [moment.dateTime, moment.textContent] = [time, at];
    item.querySelector('.badges')?.replaceChildren(...notes.map((note) => element('span', note, 'badge')));
    return item;
  }

  /** @param {string} text */
  function say(text) {
    if (told) told.textContent = text;
  }

  /** @param {KeyboardEvent} event */
  function moveAmongResults(event) {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0 || !(event.target instanceof HTMLElement)) return;
    const isLink = event.target.matches('#found a');
    if (event.target !== box && !isLink) return;
    const area = found && !found.hidden ? found : list;
    const places = [box, .../** @type {NodeListOf<HTMLElement>} */ (area?.querySelectorAll('li a') ?? [])];
    const next = places[places.indexOf(event.target) + step];
    if (!next) return;
    event.preventDefault();
    next?.focus();
  }
}

/** @param {string} id @param {Node[]} content */
function fill(id, content) {
  document.getElementById(id)?.replaceChildren(...content);
}

/** @param {string} name @param {string} text @param {string} [className] */
function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** Our own pages alone. @param {string} address @param {string} title */
function linkTo(address, title) {
  const link = document.createElement('a');
  if (address.startsWith('/conversations/')) link.href = address;
  link.dir = 'auto';
  link.textContent = title;
  return link;
}

/** @param {Node} content */
function inItem(content) {
  const item = document.createElement('li');
  item.append(content);
  return item;
}
