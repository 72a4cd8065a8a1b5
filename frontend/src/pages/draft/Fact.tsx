/** A name and a value in a list of facts; nothing when there is no value. */
import type { ReactNode } from "react";

interface Props {
  readonly label: string;
  readonly children: ReactNode;
}

export function Fact({ label, children }: Props) {
  if (children === null || children === undefined || children === false || children === "")
    return null;
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
