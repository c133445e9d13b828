// Render `.math` spans by KaTeX. The source comes from data sets: nothing in it is trusted.
const LIMITS = { maxExpand: 200, maxSize: 20 };
const LONGEST = 20000;

export function renderMath(root) {
  for (const span of root.querySelectorAll(".math:not(.rendered, .broken)")) renderOne(span);
}

function renderOne(span) {
  const source = span.textContent;
  const options = {
    displayMode: span.dataset.display === "true",
    trust: false,
    strict: "ignore",
    throwOnError: true,
    ...LIMITS,
  };
  try {
    if (source.length > LONGEST) throw new Error("too long to typeset");
    katex.render(source, span, options);
    span.classList.add("rendered");
  } catch (error) {
    span.textContent = source;
    span.classList.add("broken");
    span.title = error.message;
  }
}
