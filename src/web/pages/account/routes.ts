import { Hono } from 'hono';
import { readFeedback, readLayout, readSettings, readSharedLinks } from '../../../chatgpt/index.ts';
import { listSnapshots } from '../../../snapshot/index.ts';
import { anchorOf, conversationAddress } from '../../addresses.ts';
import type { WebEnv } from '../../env.ts';
import type { WebSources } from '../../sources.ts';
import { AccountHistory, changesOf } from './account-history.ts';
import { accountPage, type LinkedConversation, noAccountPage } from './account-page.ts';

/** `/account`: what the newest snapshot of an account says of it. */
export function accountRoutes({ backupDir, catalog, signal }: WebSources): Hono<WebEnv> {
  const history = new AccountHistory();
  const routes = new Hono<WebEnv>();
  routes.get('/', async (context) => {
    const { account: asked, show, feedback: feedbackPage, links: linksPage } = context.req.query();
    const { snapshots } = await listSnapshots(backupDir);
    const accounts = [...new Set(snapshots.map(({ account }) => account))].sort();
    const account = accounts.find((name) => name === asked) ?? snapshots.at(-1)?.account;
    const ofAccount = snapshots.filter((snapshot) => snapshot.account === account);
    const newest = ofAccount.at(-1);
    if (account === undefined || newest === undefined) return context.html(noAccountPage());
    const told = await history.read(ofAccount, signal);
    const layout = await readLayout(newest.path, signal);
    return context.html(
      accountPage({
        accounts,
        account,
        newest,
        information: told.at(-1),
        changes: changesOf(ofAccount, told),
        settings: await readSettings(layout),
        feedback: await readFeedback(layout, signal),
        sharedLinks: await readSharedLinks(layout, signal),
        shelves: catalog()?.shelves(account),
        conversationOf: (id, message) => linkedConversation(account, id, message),
        isUnmasked: show === 'details',
        feedbackPage,
        linksPage,
      }),
    );
  });
  return routes;

  function linkedConversation(
    account: string,
    id: string | undefined,
    message: string | undefined,
  ): LinkedConversation | undefined {
    const conversation = id === undefined ? undefined : catalog()?.find(account, id);
    if (conversation === undefined) return undefined;
    const anchor = message === undefined ? '' : `#${anchorOf(message)}`;
    return { title: conversation.title, address: `${conversationAddress(conversation, { at: message })}${anchor}` };
  }
}
