// Runs before the page is painted: the theme that was chosen here, else the system's.
try {
  const chosen = localStorage.getItem("annotator:theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch {
  // a browser that forbids storage shows the system's theme
}
