/** The proofs of events, each computed once. */
import { useEffect, useState } from "react";

import type { AuditEventReply } from "../../api/schema";
import { type Proof, proofOf } from "./chainLink";

type Proofs = ReadonlyMap<AuditEventReply, Proof>;

const computed = new WeakMap<AuditEventReply, Promise<Proof>>();

/** By event; one that is not computed yet has none. */
export function useProofs(events: readonly AuditEventReply[]): Proofs {
  const [proofs, setProofs] = useState<Proofs>(new Map());
  useEffect(() => {
    let wanted = true;
    void Promise.all(events.map(async (event) => [event, await proof(event)] as const)).then(
      (found) => {
        if (wanted) setProofs(new Map(found));
      },
    );
    return () => {
      wanted = false;
    };
  }, [events]);
  return proofs;
}

function proof(event: AuditEventReply): Promise<Proof> {
  const known = computed.get(event);
  if (known !== undefined) return known;
  const made = proofOf(event);
  computed.set(event, made);
  return made;
}
