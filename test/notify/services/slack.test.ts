import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureBy, lastBody, MESSAGE, sendBy, WebServer } from '../support.ts';

const ADDRESS = 'slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ';
const PATH = '/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ';

interface SlackBody {
  text: string;
  blocks: { text: { text: string } }[];
}

describe('Slack', () => {
  it('gets a header and a section of plain text at the webhook, and a text for phones', async () => {
    await using server = await WebServer.listen();
    await sendBy(server, ADDRESS, { ...MESSAGE, level: 'failure', title: 'Title', body: 'Body.' });
    const [request] = server.requests;
    assert.equal(request?.method, 'POST');
    assert.equal(request.headers['x-meant-for'], 'https://hooks.slack.com');
    assert.equal(request.url, PATH);
    assert.deepEqual(request.body, {
      text: '🚨 Title',
      mrkdwn: false,
      unfurl_links: false,
      unfurl_media: false,
      blocks: [
        { type: 'header', text: { type: 'plain_text', emoji: false, text: '🚨 Title' } },
        { type: 'section', text: { type: 'plain_text', emoji: false, text: 'Body.' } },
      ],
    });
  });

  it('takes the forms of Apprise and Shoutrrr, and the pasted address', async () => {
    await using server = await WebServer.listen();
    for (const address of [
      'slack://bot@T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?image=no',
      'slack://hook:T1JJ3T3L2-A1BRTD4JD-TIiajkdnlazkcOXrIdevi7FQ@webhook?color=good',
      'https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ',
    ]) {
      await sendBy(server, address);
      assert.equal(server.requests.pop()?.url, PATH);
    }
  });

  it('gets &, < and > escaped, so that nobody is called and nothing is a link', async () => {
    await using server = await WebServer.listen();
    await sendBy(server, ADDRESS, { ...MESSAGE, title: '<!channel>', body: 'R&D <https://a.example|b>' });
    const { text, blocks } = lastBody<SlackBody>(server);
    assert.equal(text, '⚠️ &lt;!channel&gt;');
    assert.deepEqual(
      blocks.map((block) => block.text.text),
      ['⚠️ &lt;!channel&gt;', 'R&amp;D &lt;https://a.example|b&gt;'],
    );
  });

  it('gets no more characters than a block may hold, with no escape cut in two', async () => {
    await using server = await WebServer.listen();
    await sendBy(server, ADDRESS, { ...MESSAGE, title: '<'.repeat(500), body: '&'.repeat(5000) });
    const [header, section] = lastBody<SlackBody>(server).blocks.map((block) => block.text.text);
    assert(header !== undefined && header.length <= 150);
    assert.match(header, /^⚠️ (&lt;)+…$/);
    assert(section !== undefined && section.length <= 3000);
    assert.match(section, /^(&amp;)+…$/);
  });

  it('has words of its own for what is wrong, which are told in ours', async () => {
    await using server = await WebServer.listen();
    server.answer = { status: 404, body: 'no_service' };
    assert.equal(
      (await failureBy(server, ADDRESS)).message,
      'Slack has removed or switched off this webhook: make a new one (status 404)',
    );
    server.answer = { status: 429, headers: { 'retry-after': '30' }, body: 'rate_limited' };
    assert.equal((await failureBy(server, ADDRESS)).retry.retryAfterMs, 30_000);
  });
});
