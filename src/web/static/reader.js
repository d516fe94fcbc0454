// @ts-check
// Buttons that copy a message or a block of code.

const SHOWN_MS = 1500;

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('button.copy'))) {
  button.hidden = false;
  // The text as ChatGPT or its user wrote it, not as it is laid out here.
  button.addEventListener('click', () => copy(button, textAt(button.dataset.text ?? '')));
}

for (const block of document.querySelectorAll('.code')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'small';
  button.textContent = 'Copy';
  button.setAttribute('aria-label', 'Copy the code');
  button.addEventListener('click', () => copy(button, Promise.resolve(block.querySelector('code')?.textContent ?? '')));
  headOf(block).append(button);
}

/** @param {Element} block */
function headOf(block) {
  const head = block.querySelector('.code-head');
  if (head) return head;
  const made = document.createElement('div');
  made.className = 'code-head';
  made.append(document.createElement('span'));
  block.prepend(made);
  return made;
}

/** @param {string} address */
async function textAt(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`the answer is ${answer.status}`);
  return answer.text();
}

/** @param {HTMLButtonElement} button @param {Promise<string>} text */
async function copy(button, text) {
  const name = button.textContent;
  let told = 'Copied';
  try {
    await write(await text);
  } catch {
    told = 'Not copied';
  }
  button.textContent = told;
  setTimeout(() => {
    button.textContent = name;
  }, SHOWN_MS);
}

/** Browsers have a clipboard for pages on https and on this machine; for others there is the old way. @param {string} text */
async function write(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'unseen';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (!done) throw new Error('the browser does not let us');
}
