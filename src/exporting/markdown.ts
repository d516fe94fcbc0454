import type { Asset, Block, ReadableMessage } from '../chatgpt/index.ts';
import { absenceOf, type Format, momentOf, type Page, speakerOf } from './page.ts';

/** Markdown with YAML front matter, as Obsidian and its like read it. */
export const markdown: Format = {
  extension: '.md',
  render(page) {
    const absence = absenceOf(page.conversation);
    const parts = [
      frontMatter(page),
      `# ${oneLine(page.readable.title ?? 'Untitled')}`,
      ...(absence === undefined ? [] : [`> ${absence}`]),
      ...page.readable.messages.filter(({ hidden }) => !hidden).map((message) => sectionOf(message, page)),
    ];
    return `${parts.join('\n\n')}\n`;
  },
};

/** Every JSON text is one in YAML, too, so that a title can do no harm. */
function frontMatter({ conversation, readable }: Page): string {
  const { id, account, presence, lastSeen } = conversation;
  const { title, createdAt, updatedAt, model, archived, starred } = readable;
  const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());
  const entries = Object.entries({
    title,
    id,
    account,
    created: iso(createdAt),
    updated: iso(updatedAt),
    model,
    archived,
    starred,
    presence,
    last_seen: presence === 'present' ? undefined : lastSeen,
    tags: ['chatgpt'],
  });
  const lines = entries.flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${JSON.stringify(value)}`]));
  return ['---', ...lines, '---'].join('\n');
}

function sectionOf({ role, authorName, createdAt, blocks, attachments }: ReadableMessage, page: Page): string {
  const head = [oneLine(speakerOf(role, authorName)), createdAt === undefined ? undefined : momentOf(createdAt)];
  const texts = [
    `## ${head.filter((one) => one !== undefined).join(' · ')}`,
    ...blocks.map((block) => textOf(block, page)),
    ...attachments.map((asset) => linkOf(asset, page)),
  ];
  return texts.filter((text) => text !== '').join('\n\n');
}

function textOf(block: Block, page: Page): string {
  switch (block.kind) {
    case 'text': {
      const sources = new Map(block.citations.map(({ url, title }) => [url, title ?? url] as const));
      const list = [...sources].map(([url, title]) => `- [${label(title)}](<${encodeURI(url).replace(/[<>]/g, '')}>)`);
      return [block.text, list.join('\n')].filter((text) => text !== '').join('\n\n');
    }
    case 'transcription':
      return block.text;
    case 'code':
      return fenced(block.text, block.language);
    case 'execution-output':
      return fenced(block.text, undefined);
    case 'image':
      return linkOf(block.asset, page);
    case 'audio':
      return linkOf(block.asset, page);
    case 'video':
      return block.assets.map((asset) => linkOf(asset, page)).join('\n\n');
    case 'thoughts':
      return quoted(block.thoughts.map(({ summary, text }) => [summary, text].filter(Boolean).join('\n')).join('\n\n'));
    case 'quote':
      return quoted(
        [block.title, block.url, block.text].filter((text) => text !== undefined && text !== '').join('\n'),
      );
    default:
      return quoted(block.text);
  }
}

function linkOf(asset: Asset, { linkTo }: Page): string {
  const link = linkTo(asset);
  if (link === undefined) return `*(${label(asset.name)}: not in the export)*`;
  return `${asset.type.kind === 'other' ? '' : '!'}[${label(asset.name)}](${link})`;
}

/** A fence longer than any in the text. */
function fenced(text: string, language: string | undefined): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${/^[\w+#-]{1,20}$/.test(language ?? '') ? language : ''}\n${text}\n${fence}`;
}

function quoted(text: string): string {
  return text === ''
    ? ''
    : text
        .split('\n')
        .map((line) => `> ${line}`)
        .join('\n');
}

function label(text: string): string {
  return oneLine(text).replace(/[\\[\]]/g, '\\$&');
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}
