import type { ErrorComponentProps } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { Button } from "../ui/Button";
import { ProblemNotice } from "../ui/ProblemNotice";

export function PageFailed({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation();
  return (
    <section className="page">
      <h1>{t("common.failed")}</h1>
      <ProblemNotice error={error} />
      <Button onPress={reset}>{t("common.tryAgain")}</Button>
    </section>
  );
}

export function NotFound() {
  const { t } = useTranslation();
  return (
    <section className="page">
      <h1>{t("common.notFound")}</h1>
    </section>
  );
}
