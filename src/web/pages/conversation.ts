import { type Context, Hono } from 'hono';
import { html } from 'hono/html';
import type { CatalogConversation } from '../../catalog/index.ts';
import { conversationAddress, idOfAddress, snapshotAddress } from '../addresses.ts';
import type { WebEnv } from '../env.ts';
import type { PageAnswer, PageQuestion, TextAnswer } from '../reader/questions.ts';
import { type Reader, ReaderFailure } from '../reader/reader.ts';
import type { WebSources } from '../sources.ts';
import { bodyOf } from '../stream.ts';
import { conversationView } from '../views/conversation.ts';
import { type Html, layout } from '../views/layout.ts';
import { breadcrumbs, notice } from '../views/parts.ts';
import { dayOfSnapshot, titleOf } from '../views/words.ts';

/** Of a text that is nothing but text: it can be read, and do nothing. */
const TEXT_HEADERS = {
  'content-type': 'text/plain; charset=utf-8',
  'content-security-policy': "sandbox; default-src 'none'",
};

/** `/:account/:id`: a conversation to read; `…/text`: the whole text of one message; `/:number`: as the catalog counts. */
export function conversationRoutes(
  { catalog, logger }: Pick<WebSources, 'catalog' | 'logger'>,
  reader: Reader,
): Hono<WebEnv> {
  const routes = new Hono<WebEnv>();

  routes.get('/:number{[0-9]{1,12}}', (context) => {
    const conversation = catalog()?.conversation(Number(context.req.param('number')));
    if (conversation === undefined) return context.notFound();
    return context.redirect(conversationAddress(conversation, context.req.query()));
  });

  routes.get('/:account/:id', async (context) => {
    const question = questionOf(context);
    const { version, hidden } = question;
    try {
      return respond(context, await reader.ask('page', question, context.req.raw.signal), {
        version,
        hidden,
        plain: false,
      });
    } catch (error) {
      if (!(error instanceof ReaderFailure)) throw error;
      logger.warn({ conversation: question.id }, `a conversation is shown without formatting: ${error.message}`);
    }
    try {
      const answer = await reader.ask('page', { ...question, plain: true }, context.req.raw.signal);
      return respond(context, answer, { version, hidden, plain: true });
    } catch (error) {
      if (!(error instanceof ReaderFailure)) throw error;
      logger.warn({ conversation: question.id }, `a conversation cannot be shown: ${error.message}`);
      return context.html(tooLarge(catalog()?.find(question.account, question.id)), 500);
    }
  });

  routes.get('/:account/:id/text', async (context) => {
    const { account, id, version } = questionOf(context);
    const node = context.req.query('node') ?? '';
    const { signal } = context.req.raw;
    let first: TextAnswer;
    try {
      first = await reader.ask('text', { account, id, version, node, from: 0 }, signal);
    } catch (error) {
      if (!(error instanceof ReaderFailure)) throw error;
      logger.warn({ conversation: id }, `a message cannot be shown: ${error.message}`);
      return context.html(tooLarge(catalog()?.find(account, id)), 500);
    }
    if (first.kind === 'unknown') return context.notFound();
    const pieces = async function* (): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
      const encoder = new TextEncoder();
      for (let piece: TextAnswer = first; piece.kind === 'text'; ) {
        yield encoder.encode(piece.text);
        if (piece.next === undefined) return;
        piece = await reader.ask('text', { account, id, version, node, from: piece.next }, signal);
      }
    };
    return context.body(bodyOf(pieces()), 200, TEXT_HEADERS);
  });
  return routes;
}

function questionOf(context: Context): PageQuestion {
  const given = (name: string) => context.req.query(name) || undefined;
  const page = given('page');
  return {
    account: context.req.param('account') ?? '',
    id: idOfAddress(context.req.param('id') ?? ''),
    version: given('version'),
    through: given('through'),
    at: given('at'),
    page: page !== undefined && /^\d{1,9}$/.test(page) ? Number(page) : undefined,
    hidden: given('hidden') === '1',
    plain: false,
  };
}

function respond(
  context: Context,
  answer: PageAnswer,
  shown: Parameters<typeof conversationView>[1],
): Response | Promise<Response> {
  switch (answer.kind) {
    case 'page':
      return context.html(conversationView(answer.page, shown));
    case 'unknown':
      return context.notFound() as Response | Promise<Response>;
    case 'moved':
      return context.redirect(conversationAddress(answer.conversation, context.req.query()));
    case 'no-catalog':
      return context.html(
        trouble(
          'A conversation',
          html`<p>The index of what was kept is not there yet. It is made while the service runs; this address will work then.</p>`,
        ),
        503,
      );
    case 'no-such-version':
      return context.html(
        trouble(
          titleOf(answer.conversation),
          html`<p>There is no such version of this conversation. The snapshot may have been removed.</p><p><a href="${conversationAddress(answer.conversation)}">Show the newest version</a></p>`,
        ),
        404,
      );
    case 'unreadable':
      return context.html(
        trouble(
          titleOf(answer.conversation),
          html`<p>This conversation could not be read from the export of ${answer.snapshots.map(
            (name, index) => html`${index === 0 ? '' : ', '}${dayOfSnapshot(name)}`,
          )}. Its file may be damaged: <code>chatkeep verify</code> tells what is wrong.</p>`,
        ),
        500,
      );
  }
}

/** Says where it is to be read all the same. */
function tooLarge(conversation: CatalogConversation | undefined): Html {
  if (conversation === undefined)
    return trouble(
      'A conversation',
      html`<p>This cannot be shown: it takes too long, or more memory than there is.</p>`,
    );
  const { account, id, lastSeen } = conversation;
  return trouble(
    titleOf(conversation),
    html`<p>This conversation cannot be shown here: it takes too long, or more memory than there is. It is kept all the same:</p>
<ul>
<li><code>chatkeep export</code> writes it to a file of its own, and <code>chatkeep show ${id}</code> prints it.</li>
<li>It stands as OpenAI wrote it in <a href="${snapshotAddress({ account, name: lastSeen })}">the files of the snapshot ${lastSeen}</a>, in one whose name begins with “conversations”.</li>
</ul>`,
  );
}

function trouble(title: string, words: Html): Html {
  return layout({
    title,
    section: 'conversations',
    main: html`${breadcrumbs([{ address: '/conversations', name: 'Conversations' }], title)}<h1 dir="auto">${title}</h1>${notice('bad', words)}`,
  });
}
