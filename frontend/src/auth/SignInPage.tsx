import { useTranslation } from "react-i18next";

import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { DevelopmentForm } from "./DevelopmentForm";
import { DevelopmentSignIn } from "./development";
import type { SignIn } from "./signIn";
import styles from "./SignInPage.module.css";

interface Props {
  /** Undefined when the gateway has no way to sign in. */
  readonly signIn: SignIn | undefined;
  /** Why the sign-in did not work, if it did not. */
  readonly failure: unknown;
  readonly notice: string | undefined;
}

export default function SignInPage({ signIn, failure, notice }: Props) {
  const { t } = useTranslation();
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <h1>{t("common.product")}</h1>
        <p>{t("signIn.intro")}</p>
        {notice !== undefined && <Banner tone="info">{notice}</Banner>}
        {failure !== undefined && (
          <Banner tone="danger">
            {t("signIn.failed", { reason: failure instanceof Error ? failure.message : "" })}
          </Banner>
        )}
        <Way signIn={signIn} />
      </div>
    </main>
  );
}

function Way({ signIn }: { readonly signIn: SignIn | undefined }) {
  const { t } = useTranslation();
  if (signIn instanceof DevelopmentSignIn) return <DevelopmentForm signIn={signIn} />;
  if (signIn?.kind !== "oidc") return <Banner tone="warning">{t("signIn.none")}</Banner>;
  return (
    <Button variant="primary" onPress={() => void signIn.go()}>
      {t("signIn.withProvider")}
    </Button>
  );
}
