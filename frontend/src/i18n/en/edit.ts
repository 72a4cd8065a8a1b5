/** Editing a draft order in place. */
export const edit = {
  bar: "Unsaved changes",
  save: "Save",
  drop: "Drop changes",
  dropTitle: "Drop your changes?",
  goOn: "Go on editing",
  count_zero: "Nothing changed yet",
  count_one: "One change",
  count_other: "{{count}} changes",
  revokes: "This order is approved. Saving takes the approval back.",
  incomplete: "Mend the marked fields first.",
  addLine: "Add a line",
  removeLine: "Remove line {{line}}",
  fault: {
    decimal: "Write a number with this language's decimal sign and nothing between the thousands.",
    currency: "Write the three letters of ISO 4217.",
  },
  both_one: "You both changed one field. Which value shall stand?",
  both_other: "You both changed {{count}} fields. Which values shall stand?",
  mine: "Yours: {{value}}",
  theirs: "Theirs: {{value}}",
  nothingLost:
    "Your changes are kept. They are put on what is there now, and saved when you say so.",
  reapply: "Put my changes on version {{version}}",
};
