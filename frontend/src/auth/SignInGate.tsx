/** Lets nobody in without a token, keeps the token fresh, and shows the sign-in otherwise. */
import {
  type PropsWithChildren,
  Suspense,
  createContext,
  lazy,
  use,
  useEffect,
  useState,
} from "react";
import { useTranslation } from "react-i18next";

import { queryClient } from "../app/queryClient";
import { useStore } from "../app/store";
import { Loading } from "../ui/Loading";
import { loadConfig } from "./config";
import { session } from "./session";
import type { SignIn } from "./signIn";

const SignInPage = lazy(() => import("./SignInPage"));

const SignOut = createContext<() => void>(() => undefined);

/** Signs the person out. */
export const useSignOut = (): (() => void) => use(SignOut);

interface Found {
  readonly signIn: SignIn | undefined;
  readonly failure?: unknown;
}

export function SignInGate({ children }: PropsWithChildren) {
  const { t } = useTranslation();
  const identity = useStore(session.identity);
  const [found, setFound] = useState<Found>();
  const [wasIn, setWasIn] = useState(false);
  useEffect(() => {
    void starting().then(setFound);
  }, []);
  useEffect(
    () => (identity && found?.signIn ? renewing(found.signIn, identity.expiresAt) : undefined),
    [identity, found],
  );
  if (identity !== undefined && !wasIn) setWasIn(true);

  if (found === undefined) return <Waiting />;
  const leave = () => {
    void found.signIn?.leave();
    setWasIn(false);
    session.expire();
    queryClient.clear();
  };
  if (identity !== undefined) return <SignOut value={leave}>{children}</SignOut>;
  return (
    <Suspense fallback={<Waiting />}>
      <SignInPage
        signIn={found.signIn}
        failure={found.failure}
        notice={wasIn ? t("signIn.expired") : undefined}
      />
    </Suspense>
  );
}

function Waiting() {
  const { t } = useTranslation();
  return (
    <main>
      <h1 className="visually-hidden">{t("common.product")}</h1>
      <Loading />
    </main>
  );
}

let start: Promise<Found> | undefined;

/** Once per load of the page: an answer of the provider can be used only once. */
function starting(): Promise<Found> {
  start ??= begin();
  return start;
}

async function begin(): Promise<Found> {
  let signIn: SignIn | undefined;
  try {
    signIn = await chosen();
    const token = await signIn?.resume();
    if (token !== undefined) session.begin(token);
    return { signIn };
  } catch (failure) {
    return { signIn, failure };
  }
}

async function chosen(): Promise<SignIn | undefined> {
  const config = await loadConfig();
  if (config.sign_in === "oidc") return new (await import("./oidc")).OidcSignIn(config);
  if (config.sign_in === "development") {
    return new (await import("./development")).DevelopmentSignIn(config.orgs);
  }
  return undefined;
}

const RENEW_BEFORE_MILLISECONDS = 60_000;
const LONGEST_TIMER = 2 ** 31 - 1;

/** Renews shortly before the token ends; a token that cannot be renewed ends the session. */
function renewing(signIn: SignIn, expiresAt: number): () => void {
  const left = expiresAt - Date.now() - RENEW_BEFORE_MILLISECONDS;
  const timer = setTimeout(
    () => {
      signIn.resume().then(
        (token) => {
          if (token === undefined) session.expire();
          else session.begin(token);
        },
        () => {
          session.expire();
        },
      );
    },
    Math.min(Math.max(left, 1_000), LONGEST_TIMER),
  );
  return () => {
    clearTimeout(timer);
  };
}
