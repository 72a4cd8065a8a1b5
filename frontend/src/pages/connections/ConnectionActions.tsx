/** What the person may do with a connection. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { ConnectionReply } from "../../api/schema";
import { useMay } from "../../auth/permissions";
import { Button } from "../../ui/Button";
import { test } from "./acts";
import { ConnectionProblem } from "./ConnectionProblem";
import { connectionsKey } from "./queries";
import { SwitchDialog, type Turn } from "./SwitchDialog";
import styles from "./Connections.module.css";

export function ConnectionActions({ connection }: { readonly connection: ConnectionReply }) {
  const { t } = useTranslation();
  const may = useMay();
  const queryClient = useQueryClient();
  const [turn, setTurn] = useState<Turn>();
  const testing = useMutation({
    mutationFn: () => test(connection.id),
    // A test that fails is kept with its steps, too.
    onSettled: () => queryClient.invalidateQueries({ queryKey: connectionsKey }),
  });
  const turns: readonly Turn[] = [
    ...(may("pauseConnections") && connection.status === "ACTIVE" ? (["pause"] as const) : []),
    ...(may("pauseConnections") && connection.status === "PAUSED" ? (["resume"] as const) : []),
    ...(may("changeConnections") && connection.status !== "DISABLED" ? (["disable"] as const) : []),
  ];
  return (
    <>
      <div className={styles.actions}>
        {may("testConnections") && (
          <Button
            variant="primary"
            onPress={() => {
              if (!testing.isPending) testing.mutate();
            }}
          >
            {t(testing.isPending ? "connections.testing" : "connections.test")}
          </Button>
        )}
        {may("changeConnections") && (
          <Link
            to="/connections/$connectionId/change"
            params={{ connectionId: connection.id }}
            className={`react-aria-Button ${styles.link ?? ""}`}
          >
            {t("connections.change")}
          </Link>
        )}
        {turns.map((each) => (
          <Button
            key={each}
            onPress={() => {
              setTurn(each);
            }}
          >
            {t(`connections.ask.${each}`)}
          </Button>
        ))}
      </div>
      {testing.isSuccess && (
        <div className="banner success" role="status">
          {t("connections.testPassed")}
        </div>
      )}
      {testing.error !== null && <ConnectionProblem error={testing.error} />}
      {turn !== undefined && (
        <SwitchDialog
          connection={connection}
          turn={turn}
          onClose={() => {
            setTurn(undefined);
          }}
        />
      )}
    </>
  );
}
