"""Gives, for each notification address of the JSON list on standard input, the requests that Apprise itself would make.

Nothing goes over the network: what Apprise hands to its HTTP library is written down instead.
"""

import json
import sys
from unittest import mock

import apprise


class Answer:
    status_code = 200
    text = '{"ok": true}'
    content = text.encode()
    headers: dict = {}

    def json(self):
        return json.loads(self.text)


def requests_for(address):
    requests = []

    def post(url, data=None, headers=None, auth=None, **_options):
        body = json.loads(data) if isinstance(data, (str, bytes)) else data
        requests.append({"url": url, "body": body, "headers": headers or {}, "auth": auth})
        return Answer()

    with mock.patch("requests.post", post):
        sender = apprise.Apprise()
        if sender.add(address):
            sender.notify(title="Title", body="Body.", notify_type="warning")
    return requests


json.dump({address: requests_for(address) for address in json.load(sys.stdin)}, sys.stdout)
