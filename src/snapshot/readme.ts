/** README.txt of a backup directory: for somebody who finds it in ten years, without the program. */
export const README_TEXT = `These are backups of ChatGPT data, taken by Chatkeep.

What is here

  <account>/                    one directory for each ChatGPT account
    2026-11-21T190533Z/         one snapshot: an export as OpenAI made it at that moment (UTC), unpacked
      chat.html                 the conversations, to be opened in a browser
      conversations*.json       the same, for programs
      ...                       whatever else the export held, byte for byte
      .chatkeep/SHA256SUMS      checksums of all files of the export
      .chatkeep/snapshot.json   when and from where the snapshot was taken
    latest                      a link to the newest snapshot
    .chatkeep/unchanged/        exports that held exactly what one of the snapshots holds, so that no second was made
  .chatkeep/quarantine/         archives that were refused as unsafe or broken, as they came
  .chatkeep/staging/            work in progress; safe to delete while Chatkeep is stopped

How to verify a snapshot, without Chatkeep

  cd <account>/2026-11-21T190533Z
  sha256sum -c .chatkeep/SHA256SUMS

(On a Mac: shasum -a 256 -c .chatkeep/SHA256SUMS)

Good to know

- A snapshot never changes. A file that is the same in two snapshots may be one file with two names (a hard link), so
  do not edit files in here: copy them elsewhere first.
- Deleting a snapshot's directory frees what no other snapshot shares, and harms no other snapshot.
- When you copy this directory, keep the hard links or it will grow: rsync -aH, cp -a, tar.
- These files are as private as the conversations in them.

The format is described in docs/backup-directory.md of Chatkeep.
`;
