import { useTranslation } from "react-i18next";

import type { ConnectionReply } from "../../api/schema";
import { Banner } from "../../ui/Banner";
import { Choice } from "../../ui/Choice";
import type { Act, Obstacle, Sorted } from "./eligibility";
import styles from "./DraftList.module.css";

const SHOWN = 20;

interface Props {
  readonly act: Act;
  readonly preview: Sorted;
  /** Those that a push can go through. */
  readonly connections: readonly ConnectionReply[];
  readonly connection: string | undefined;
  readonly onConnection: (id: string | undefined) => void;
}

export function BulkPreview({ act, preview, connections, connection, onConnection }: Props) {
  const { t } = useTranslation();
  const others = preview.others.reduce((sum, each) => sum + each.rows.length, 0);
  return (
    <>
      <p>{t(`drafts.bulk.eligible.${act}`, { count: preview.eligible.length })}</p>
      {act === "push" && connections.length > 1 && (
        <Choice
          label={t("drafts.bulk.connection")}
          none={t("drafts.bulk.chooseConnection")}
          options={connections.map((each) => ({ id: each.id, text: each.name }))}
          value={connection}
          onChange={onConnection}
        />
      )}
      {others > 0 && (
        <>
          <Banner tone="info">{t("drafts.bulk.others", { count: others })}</Banner>
          <ul className={styles.obstacles}>
            {preview.others.map((group) => (
              <li key={JSON.stringify(group.obstacle)}>
                <Why act={act} obstacle={group.obstacle} count={group.rows.length} />
                <details>
                  <summary>{t("drafts.bulk.which")}</summary>
                  <p className={styles.references}>
                    {group.rows
                      .slice(0, SHOWN)
                      .map((row) => row.external_ref)
                      .join(", ")}
                    {group.rows.length > SHOWN && " …"}
                  </p>
                </details>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Why({ act, obstacle, count }: { act: Act; obstacle: Obstacle; count: number }) {
  const { t } = useTranslation();
  if (obstacle.kind === "noConnection") return <>{t("drafts.bulk.why.noConnection", { count })}</>;
  if (obstacle.kind === "fourEyes") return <>{t(`drafts.bulk.why.fourEyes.${act}`, { count })}</>;
  const status = t(`common.status.${obstacle.status}`);
  return <>{t("drafts.bulk.why.state", { count, status })}</>;
}
