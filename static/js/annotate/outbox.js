// What earlier pages left unsent in this browser, of any item, goes to the server now.
import * as kept from "./kept.js";
import { post } from "./post.js";

const OF_ANOTHER = ["404", "403", "not_found", "not_allowed"];
const lock = (uid) => `annotator:item:${uid}`;

// This page works on the item: another tab leaves it alone as long as the page lives.
export function hold(uid) {
  navigator.locks?.request(lock(uid), { mode: "shared" }, () => new Promise(() => {}));
}

// `sent(count)` hears how many submissions arrived.
export async function sendLeft(current, sent) {
  if (!navigator.locks) return;
  const uids = kept.left().filter((uid) => uid !== current);
  const arrived = await Promise.all(uids.map(sendOne));
  const count = arrived.filter(Boolean).length;
  if (count) sent(count);
}

function sendOne(uid) {
  return navigator.locks.request(lock(uid), { ifAvailable: true }, async (free) => {
    const entry = free && kept.read(uid);
    if (!entry?.urls || entry.refused || (entry.editing && !entry.submission)) return false;
    const answer = await post(...letter(entry));
    if (answer.kind === "done") kept.drop(uid);
    // it stays here, to be shown beside the server's when the item is opened again; where another
    // person is signed in, it waits for its owner
    if (answer.kind === "refused") {
      if (!OF_ANOTHER.includes(answer.code)) kept.keep(uid, { ...entry, refused: answer.code });
      else kept.leaveToOwner(uid);
    }
    return answer.kind === "done" && Boolean(entry.submission);
  });
}

function letter({ draft, seconds, submission, base, urls, editing }) {
  const body = { draft, active_seconds: seconds };
  if (!submission) return [urls.draft, { ...body, version: base }];
  const submitted = { ...body, key: submission };
  return [urls.submit, editing ? { ...submitted, version: base } : submitted];
}
