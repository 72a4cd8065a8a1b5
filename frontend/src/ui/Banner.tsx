import type { PropsWithChildren } from "react";

type Props = PropsWithChildren<{ readonly tone: "info" | "warning" | "danger" | "success" }>;

/** A sentence across the page; read out when it appears. */
export function Banner({ tone, children }: Props) {
  return (
    <div className={`banner ${tone}`} role={tone === "danger" ? "alert" : "status"}>
      {children}
    </div>
  );
}
