// hx-swap="quiet": changes in place what differs and leaves the rest alone, so that focus, scrolling,
// selections and opened details stay. For pages that poll while a run works.
(() => {
  const KEPT = { DETAILS: ["open"] }; // what the reader opened stays open

  function sameKind(now, then) {
    return now.nodeType === then.nodeType && now.nodeName === then.nodeName && now.id === then.id;
  }

  function attributes(now, then) {
    const kept = KEPT[now.nodeName] || [];
    for (const { name, value } of then.attributes)
      if (!kept.includes(name) && now.getAttribute(name) !== value) now.setAttribute(name, value);
    for (const { name } of [...now.attributes])
      if (!kept.includes(name) && !then.hasAttribute(name)) now.removeAttribute(name);
  }

  function children(now, then, added) {
    const before = [...now.childNodes];
    const after = [...then.childNodes];
    after.forEach((child, place) => {
      const old = before[place];
      if (!old) added.push(now.appendChild(child));
      else if (!sameKind(old, child)) {
        old.replaceWith(child);
        added.push(child);
      } else change(old, child, added);
    });
    before.slice(after.length).forEach((child) => child.remove());
  }

  function change(now, then, added) {
    if (now.isEqualNode(then)) return;
    if (now.nodeType !== Node.ELEMENT_NODE) {
      now.nodeValue = then.nodeValue;
      return;
    }
    if (now === document.activeElement && "value" in now && now.nodeName !== "BUTTON") return;
    attributes(now, then);
    children(now, then, added);
  }

  htmx.defineExtension("quiet", {
    isInlineSwap: (style) => style === "quiet",
    handleSwap(style, target, fragment) {
      if (style !== "quiet") return false;
      const then = fragment.querySelector(`#${CSS.escape(target.id)}`) || fragment.firstElementChild;
      const added = [];
      if (then) change(target, then, added);
      return added.filter((node) => node.nodeType === Node.ELEMENT_NODE);
    },
  });
})();
