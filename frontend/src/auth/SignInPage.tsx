import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { DevelopmentForm } from "./DevelopmentForm";
import { DevelopmentSignIn } from "./development";
import type { ProviderSignIn, SignIn } from "./signIn";
import styles from "./SignInPage.module.css";

interface Props {
  /** Undefined when the gateway has no way to sign in. */
  readonly signIn: SignIn | undefined;
  /** Why the sign-in did not work, if it did not. */
  readonly failure: unknown;
  /** The sign-in ran out, and the person's page waits behind this one. */
  readonly ranOut: boolean;
  readonly onToken: (token: string) => void;
}

export default function SignInPage({ signIn, failure, ranOut, onToken }: Props) {
  const { t } = useTranslation();
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <h1>{t("common.product")}</h1>
        <p>{t("signIn.intro")}</p>
        {ranOut && <Banner tone="info">{t("signIn.expired")}</Banner>}
        {failure !== undefined && <Failed failure={failure} />}
        <Way signIn={signIn} ranOut={ranOut} onToken={onToken} />
      </div>
    </main>
  );
}

function Failed({ failure }: { readonly failure: unknown }) {
  const { t } = useTranslation();
  const reason = failure instanceof Error ? failure.message : "";
  return <Banner tone="danger">{t("signIn.failed", { reason })}</Banner>;
}

function Way({ signIn, ranOut, onToken }: Pick<Props, "signIn" | "ranOut" | "onToken">) {
  const { t } = useTranslation();
  if (signIn instanceof DevelopmentSignIn) {
    return <DevelopmentForm signIn={signIn} onToken={onToken} />;
  }
  if (signIn?.kind !== "oidc") return <Banner tone="warning">{t("signIn.none")}</Banner>;
  if (ranOut) return <Beside signIn={signIn} onToken={onToken} />;
  return (
    <Button variant="primary" onPress={() => void signIn.go()}>
      {t("signIn.withProvider")}
    </Button>
  );
}

interface BesideProps {
  readonly signIn: ProviderSignIn;
  readonly onToken: (token: string) => void;
}

/** In a window of its own; where the browser lets none open, the page is left after all. */
function Beside({ signIn, onToken }: BesideProps) {
  const { t } = useTranslation();
  const [failure, setFailure] = useState<unknown>();
  return (
    <>
      {failure !== undefined && <Failed failure={failure} />}
      <Button
        variant="primary"
        onPress={() => {
          setFailure(undefined);
          signIn.goBeside().then(onToken, setFailure);
        }}
      >
        {t("signIn.withProvider")}
      </Button>
      {failure !== undefined && (
        <>
          <p>{t("signIn.leaving")}</p>
          <Button onPress={() => void signIn.go()}>{t("signIn.here")}</Button>
        </>
      )}
    </>
  );
}
