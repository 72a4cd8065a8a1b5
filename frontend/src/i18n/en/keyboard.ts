export const keyboard = {
  title: "Keyboard shortcuts",
  open: "Keyboard shortcuts (?)",
  enabled: "Single-key shortcuts",
  help: "Show this help",
  search: "Search",
  next: "Next row",
  previous: "Previous row",
  select: "Select the row",
  openRow: "Open the row",
};
