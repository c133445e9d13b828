// What scripts say, in the page's language. Places are named in braces: t("step {n}", { n: 3 }).
// The page loads the catalog before any module (base.html); in English there is none to load.
const catalog = globalThis.django;

export function t(message, values = {}) {
  return fill(catalog ? catalog.gettext(message) : message, values);
}

// The place {count} is filled by itself.
export function n(singular, plural, count, values = {}) {
  const english = count === 1 ? singular : plural;
  return fill(catalog ? catalog.ngettext(singular, plural, count) : english, { count, ...values });
}

// A value is put in as it is: braces inside it mean nothing.
function fill(message, values) {
  return message.replace(/\{(\w+)\}/g, (place, name) => (name in values ? values[name] : place));
}
