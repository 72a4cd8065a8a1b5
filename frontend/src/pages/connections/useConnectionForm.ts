/** The state of a connection's form: entries, what is wrong with them, saving. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Problem } from "../../api/problem";
import type { ConnectionReply, ConnectorReply, FieldProblemReply } from "../../api/schema";
import { change, create } from "./acts";
import {
  type Entries,
  changes,
  creation,
  differences,
  editedFields,
  entriesOf,
  fieldName,
  flawsOf,
} from "./entries";
import { placed } from "./fieldProblems";
import { connectionQuery, connectionsKey } from "./queries";
import { TERMS, secretsOf, settingsOf } from "./settings";

interface Form {
  readonly connector: ConnectorReply;
  /** The one to change; without it a new one is made. */
  readonly connection?: ConnectionReply | undefined;
  readonly onSaved: (connection: ConnectionReply) => void;
}

export function useConnectionForm({ connector, connection, onSaved }: Form) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const [entries, setEntries] = useState(() => entriesOf(connector, connection));
  // What the form began with: the page's own copy is fetched anew all the while.
  const [begun] = useState(connection);
  const [seen, setSeen] = useState(connection);
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [refusals, setRefusals] = useState(0);
  const [others, setOthers] = useState<readonly FieldProblemReply[]>([]);
  const [conflict, setConflict] = useState<readonly string[]>();

  const saving = useMutation({
    mutationFn: async () => save(connector, begun, seen, entries),
    onSuccess: async (saved) => {
      await queryClient.invalidateQueries({ queryKey: connectionsKey });
      onSaved(saved);
    },
    onError: async (error) => {
      if (!(error instanceof Problem)) return;
      const found = placed(error.document.errors ?? [], fieldNames(connector, entries));
      refuse(found.beside);
      setOthers(found.others);
      if (error.code !== "VERSION_MISMATCH" || seen === undefined) return;
      const now = await queryClient.query({ ...connectionQuery(seen.id), staleTime: 0 });
      setConflict(differences(connector, seen, now));
      setSeen(now);
    },
  });

  function refuse(found: Readonly<Record<string, string>>): void {
    setErrors(found);
    setRefusals((count) => count + 1);
  }

  function submit(): void {
    const flaws = Object.entries(flawsOf(connector, entries));
    refuse(Object.fromEntries(flaws.map(([name, flaw]) => [name, t(`connections.flaw.${flaw}`)])));
    setOthers([]);
    if (flaws.length > 0) saving.reset();
    else saving.mutate();
  }

  const set = (part: Partial<Entries>) => {
    const now = { ...entries, ...part };
    setEntries(now);
    // A complaint goes with the entry that it was about, not when the field is left: the page
    // would move under a click.
    const edited = editedFields(entries, now);
    setErrors((old) =>
      Object.fromEntries(Object.entries(old).filter(([name]) => !edited.includes(name))),
    );
  };
  return { entries, set, submit, errors, refusals, others, conflict, seen, saving };
}

/** What was saved; the stored one when nothing differs. */
async function save(
  connector: ConnectorReply,
  before: ConnectionReply | undefined,
  seen: ConnectionReply | undefined,
  entries: Entries,
): Promise<ConnectionReply> {
  if (before === undefined || seen === undefined) return create(creation(connector, entries));
  const changed = changes(connector, before, entries);
  return changed === undefined ? seen : change(seen.id, seen.version, changed);
}

function fieldNames(connector: ConnectorReply, entries: Entries): string[] {
  return [
    "name",
    ...settingsOf(connector, entries.config).map(({ key }) => fieldName("config", key)),
    ...secretsOf(connector, entries.config).map((name) => fieldName("secrets", name)),
    ...TERMS.map(({ key }) => fieldName("terms", key)),
  ];
}
