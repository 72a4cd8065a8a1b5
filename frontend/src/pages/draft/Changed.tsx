/** What became of a draft since the person saw it. */
import { useTranslation } from "react-i18next";

import type { DraftDetailReply } from "../../api/schema";
import { ContentDiff } from "./ContentDiff";
import styles from "./DraftDetail.module.css";

interface Props {
  readonly seen: DraftDetailReply;
  readonly now: DraftDetailReply;
}

export function Changed({ seen, now }: Props) {
  const { t } = useTranslation();
  return (
    <section className={styles.changed} aria-labelledby="changed">
      <div className="banner warning" role="alert">
        <strong id="changed">{t("act.changed")}</strong>
        <p>
          {t("act.changedBy", {
            seen: seen.version,
            now: now.version,
            who: now.last_edited_by_user_id ?? "",
          })}
          {now.status !== seen.status &&
            ` ${t("act.statusNow", { status: t(`common.status.${now.status}`) })}`}
        </p>
      </div>
      {now.content_version === seen.content_version ? (
        <p className="muted">{t("act.contentSame")}</p>
      ) : (
        <ContentDiff before={seen} after={now} />
      )}
    </section>
  );
}
