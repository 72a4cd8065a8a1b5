import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { I18nProvider } from "react-aria-components/I18nProvider";
import { useTranslation } from "react-i18next";

import { SignInGate } from "../auth/SignInGate";
import { localeOf } from "../i18n/i18n";
import { queryClient } from "./queryClient";
import { router } from "./router";

export function App() {
  const { i18n } = useTranslation();
  return (
    <I18nProvider locale={localeOf(i18n.language)}>
      <QueryClientProvider client={queryClient}>
        <SignInGate>
          <RouterProvider router={router} />
        </SignInGate>
      </QueryClientProvider>
    </I18nProvider>
  );
}
