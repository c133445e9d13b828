// What this browser keeps of items until the server has it: one entry per item, and its history
// for undo. Entries are of { draft, base, seconds, submission?, urls, editing, at, tab }. A page
// works on its own copy: another tab may keep other labels of the same item, and writes last.
import { local } from "../stores.js";

const ITEM = "annotator:item:";
const HISTORY = "annotator:history:";
const KNOWN = "annotator:known:";
const FORGET_AFTER_MS = 30 * 24 * 3600 * 1000;
const TAB = Math.random().toString(36).slice(2);
const own = new Map();

export function read(uid) {
  if (!own.has(uid)) own.set(uid, value(ITEM + uid));
  return own.get(uid);
}

// Returns false where the browser keeps nothing: storage is full or forbidden.
export function keep(uid, entry) {
  own.set(uid, { ...entry, at: Date.now(), tab: TAB });
  return store(ITEM + uid, own.get(uid));
}

export function drop(uid) {
  if (value(ITEM + uid)?.tab === own.get(uid)?.tab) local.remove(ITEM + uid);
  own.set(uid, null);
}

// Somebody else works in this browser now. Their owner's labels wait for a month from then on: the
// time at which they were made may be that of a wrong clock.
export function leaveToOwner(uid) {
  const entry = { waits: Date.now(), ...read(uid) };
  if (Date.now() - entry.waits > FORGET_AFTER_MS) return drop(uid);
  keep(uid, entry);
}

// The history holds only for the very draft that it was kept with.
export function readHistory(uid, draft) {
  const found = value(HISTORY + uid);
  return found?.draft === JSON.stringify(draft) ? found.history : null;
}

export function keepHistory(uid, draft, history) {
  store(HISTORY + uid, { history, draft: JSON.stringify(draft), at: Date.now() });
}

export function dropHistory(uid) {
  local.remove(HISTORY + uid);
}

// The server has this draft: a page that it made before and that comes after is older.
export function acknowledge(uid, draft, version) {
  store(KNOWN + uid, { draft, version, at: Date.now() });
}

// What the server acknowledged after it made the page with the draft of `version`, or null.
export function acknowledged(uid, version) {
  const found = value(KNOWN + uid);
  return found?.version > version ? found : null;
}

export function dropAcknowledged(uid) {
  local.remove(KNOWN + uid);
}

// Ids of the items that an earlier page left here. What can be had elsewhere is forgotten after a
// while. Labels that are nowhere else are not, whatever a clock says that may have been wrong.
export function left() {
  const found = [];
  for (const key of local.keys) {
    if (![ITEM, HISTORY, KNOWN].some((prefix) => key.startsWith(prefix))) continue;
    const entry = value(key);
    const unsent = key.startsWith(ITEM) && entry && !entry.refused;
    if (!unsent && (!entry || isOld(entry))) local.remove(key);
    else if (key.startsWith(ITEM)) found.push(key.slice(ITEM.length));
  }
  return found;
}

function isOld(entry) {
  return Date.now() - entry.at > FORGET_AFTER_MS;
}

function value(key) {
  try {
    return JSON.parse(local.get(key));
  } catch {
    return null;
  }
}

// Where there is no room, what undo needs goes before what somebody has labeled.
function store(key, entry) {
  const text = JSON.stringify(entry);
  if (local.set(key, text)) return true;
  if (!key.startsWith(ITEM)) return false;
  for (const other of local.keys) if (other.startsWith(HISTORY)) local.remove(other);
  return local.set(key, text);
}
