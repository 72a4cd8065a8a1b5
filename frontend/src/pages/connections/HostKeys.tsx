/** Fingerprints of a server's public keys, to compare with what its owner says. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { fingerprint, keyType } from "./hostKey";
import styles from "./Connections.module.css";

export function HostKeys({ lines }: { readonly lines: readonly string[] }) {
  const { t } = useTranslation();
  const keys = lines.filter((line) => line.trim() !== "");
  const { data = [] } = useQuery({
    queryKey: ["fingerprints", keys],
    queryFn: () => Promise.all(keys.map(fingerprint)),
    staleTime: Infinity,
  });
  if (keys.length === 0) return null;
  return (
    <ul className={styles.keys} aria-label={t("connections.fingerprints")}>
      {keys.map((line, at) => (
        <li key={line}>
          {keyType(line)} <code>{data[at] ?? t("connections.noFingerprint")}</code>
        </li>
      ))}
    </ul>
  );
}
