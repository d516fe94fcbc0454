-- A journal of version 3, dumped from one that Chatkeep 0.1 has written. It never changes: it shows that such journals can still be read.
CREATE TABLE captures (
    id TEXT PRIMARY KEY,
    export_id TEXT,
    state TEXT NOT NULL,
    open INTEGER NOT NULL,
    untidy INTEGER NOT NULL,
    found_at INTEGER NOT NULL,
    ended_at INTEGER,
    document TEXT NOT NULL
  ) STRICT;
CREATE TABLE messages (
    mailbox TEXT NOT NULL,
    folder TEXT NOT NULL,
    uid_validity TEXT NOT NULL,
    uid INTEGER NOT NULL,
    message_id TEXT,
    outcome TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (mailbox, folder, uid_validity, uid)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE files (key TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE hand_ins (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    afterwards TEXT NOT NULL,
    account TEXT,
    capture TEXT
  ) STRICT;
CREATE TABLE notifications (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, message TEXT NOT NULL) STRICT;
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    notification INTEGER NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    recipient TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL,
    error TEXT,
    delivered_at INTEGER
  ) STRICT;
CREATE TABLE awaited (
    mailbox TEXT NOT NULL,
    provider TEXT NOT NULL,
    open INTEGER NOT NULL,
    at INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (mailbox, provider)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE told (subject TEXT PRIMARY KEY, what TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_open_capture_an_export ON captures (export_id) WHERE open = 1 AND export_id IS NOT NULL;
CREATE INDEX captures_of_export ON captures (export_id);
CREATE INDEX open_captures ON captures (found_at) WHERE open = 1;
CREATE INDEX messages_by_id ON messages (message_id);
CREATE INDEX deliveries_due ON deliveries (recipient, due) WHERE delivered_at IS NULL;
CREATE INDEX open_awaited ON awaited (mailbox) WHERE open = 1;
INSERT INTO captures VALUES('a1b2c3d4e5f6','ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12-2026-11-21-18-55-33-c0dec0dec0dec0dec0dec0dec0dec0de','needs-login',1,0,1795287333000,NULL,'{"id":"a1b2c3d4e5f6","exportId":"ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12-2026-11-21-18-55-33-c0dec0dec0dec0dec0dec0dec0dec0de","exportTime":1795287333000,"account":null,"foundAt":1795287333000,"damagedArchives":0,"trouble":{"kind":"login","since":1795287933000,"attempts":3,"detail":"No login is configured.","tellAt":1795330533000},"told":{},"origin":{"kind":"notice","provider":"openai","mailbox":"ann@example.org","messageId":"<1@geopod-ismtpd-9>","receivedAt":1795287333000,"proof":"DKIM d=tm.openai.com","deadline":1795373733000,"link":"https://chatgpt.com/backend-api/estuary/content?id=ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12-2026-11-21-18-55-33-c0dec0dec0dec0dec0dec0dec0dec0de.zip&sig=5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e7"},"state":{"name":"needs-login","since":1795287873000,"until":1795287993000,"attempt":1,"reason":"No login is configured.","logins":"before"}}');
INSERT INTO captures VALUES('f0f1f2f3f4f5',NULL,'committed',0,0,1795287333000,1795287933000,'{"id":"f0f1f2f3f4f5","exportId":null,"exportTime":null,"account":null,"foundAt":1795287333000,"damagedArchives":0,"trouble":null,"told":{},"origin":{"kind":"file","name":"export.zip"},"state":{"name":"committed","at":1795287933000,"snapshot":"ann@example.org/2026-11-21T185533Z","leftover":null}}');
INSERT INTO messages VALUES('ann@example.org','INBOX','1700000000',17,'<1@example.org>','ready',1795287933000);
INSERT INTO messages VALUES('ann@example.org','INBOX','1700000000',18,'<2@example.org>','started',1795287933000);
INSERT INTO files VALUES('a key',1795749389009);
INSERT INTO hand_ins VALUES(1,1795749389018,'/home/ann/a.zip','a.zip','keep','ann@example.org',NULL);
INSERT INTO notifications VALUES(1,1795287933000,'{"event":"snapshot-committed","level":"success","title":"Chatkeep needs your login","body":"All is well.","at":1795287933000,"data":{"capture":"a1"}}');
INSERT INTO deliveries VALUES(1,1,'ntfy',0,1795287933000,NULL,NULL);
INSERT INTO deliveries VALUES(2,1,'email',0,1795287933000,NULL,NULL);
INSERT INTO awaited VALUES('ann@example.org','openai',1,1795287334000,'{"mailbox":"ann@example.org","provider":"openai","cameAt":null,"requests":[{"askedAt":1795287334000,"seenAt":1795287933000,"remindedAt":null}]}');
INSERT INTO told VALUES('disk /backups','low',1795287333000);
PRAGMA user_version = 3;
