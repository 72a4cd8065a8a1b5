/** Lets nobody in without a token, keeps the token fresh, and shows the sign-in otherwise. */
import {
  Activity,
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
import { identityOf, isSamePerson } from "./identity";
import { renewing } from "./renewal";
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
  const identity = useStore(session.identity);
  const open = useStore(session.open);
  const [found, setFound] = useState<Found>();
  useEffect(() => {
    void starting().then(setFound);
  }, []);
  const trying = useRenewal(found?.signIn);

  if (found === undefined) return <Waiting />;
  const leave = () => {
    void found.signIn?.leave();
    session.end();
    queryClient.clear();
  };
  return (
    <>
      {identity !== undefined && (
        // Whose sign-in ran out finds the page as it was: what was typed, what was open.
        <Activity key={`${identity.orgId} ${identity.subject}`} mode={open ? "visible" : "hidden"}>
          <SignOut value={leave}>{children}</SignOut>
        </Activity>
      )}
      {!open &&
        (trying ? (
          <Waiting />
        ) : (
          <Suspense fallback={<Waiting />}>
            <SignInPage
              signIn={found.signIn}
              failure={found.failure}
              ranOut={identity !== undefined}
              onToken={enter}
            />
          </Suspense>
        ))}
    </>
  );
}

/** Lets in whoever `token` speaks for; another person sees nothing of the one before. */
function enter(token: string): void {
  const before = session.identity.get();
  if (before !== undefined && !isSamePerson(before, identityOf(token))) queryClient.clear();
  session.begin(token);
}

/** Renews in good time, and once more when the server took the token no longer (a laptop slept). */
function useRenewal(signIn: SignIn | undefined): boolean {
  const identity = useStore(session.identity);
  const open = useStore(session.open);
  const [trying, setTrying] = useState(false);
  useEffect(() => {
    if (signIn === undefined || identity === undefined || !open) return;
    const ended = () => {
      session.expire();
    };
    return renewing(signIn, identity.expiresAt, { renewed: enter, ended });
  }, [signIn, identity, open]);
  useEffect(() => {
    if (signIn === undefined || identity === undefined || open || !mayTry()) return;
    // eslint-disable-next-line react-hooks/set-state-in-effect -- the effect is what begins it
    setTrying(true);
    void signIn
      .renew()
      .then((token) => {
        if (token !== undefined) enter(token);
      })
      .catch(() => undefined)
      .finally(() => {
        setTrying(false);
      });
  }, [signIn, identity, open]);
  return trying;
}

const PAUSE_MILLISECONDS = 30_000;
let triedAt = -Infinity;

/** Not for ever in a circle, when the server refuses what the provider gives. */
function mayTry(): boolean {
  if (performance.now() - triedAt < PAUSE_MILLISECONDS) return false;
  triedAt = performance.now();
  return true;
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
