/** Who to be on a development machine. */
import { type SyntheticEvent, useState } from "react";
import {
  Form,
  Input,
  Label,
  RadioButton,
  RadioField,
  RadioGroup,
  TextField,
} from "react-aria-components";
import { useTranslation } from "react-i18next";

import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import type { DevelopmentSignIn } from "./development";
import styles from "./SignInPage.module.css";

const ROLES = ["OPERATOR", "ADMIN", "INTEGRATOR", "VIEWER"] as const;

interface Props {
  readonly signIn: DevelopmentSignIn;
  readonly onToken: (token: string) => void;
}

export function DevelopmentForm({ signIn, onToken }: Props) {
  const { t } = useTranslation();
  const [failure, setFailure] = useState<string>();
  const [org] = signIn.orgs;
  const before = signIn.chosen();

  function enter(event: SyntheticEvent<HTMLFormElement>): void {
    event.preventDefault();
    const chosen = new FormData(event.currentTarget);
    const text = (name: string) => {
      const value = chosen.get(name);
      return typeof value === "string" ? value : "";
    };
    const choice = {
      subject: text("subject"),
      org_id: text("org_id"),
      org_slug: text("org_slug"),
      roles: [text("role")],
    };
    signIn.enter(choice).then(onToken, (error: unknown) => {
      setFailure(error instanceof Error ? error.message : String(error));
    });
  }

  return (
    <Form onSubmit={enter} className={styles.form ?? ""}>
      <p>{t("signIn.development")}</p>
      {failure !== undefined && (
        <Banner tone="danger">{t("signIn.failed", { reason: failure })}</Banner>
      )}
      <TextField name="subject" defaultValue={before?.subject ?? "local-operator"} isRequired>
        <Label>{t("signIn.name")}</Label>
        <Input />
      </TextField>
      <TextField name="org_id" defaultValue={before?.org_id ?? org?.id ?? ""} isRequired>
        <Label>{t("signIn.org")}</Label>
        <Input />
      </TextField>
      <TextField name="org_slug" defaultValue={before?.org_slug ?? org?.slug ?? ""} isRequired>
        <Label>{t("signIn.orgSlug")}</Label>
        <Input />
      </TextField>
      <RadioGroup name="role" defaultValue={before?.roles[0] ?? "OPERATOR"}>
        <Label>{t("signIn.role")}</Label>
        {ROLES.map((role) => (
          <RadioField key={role} value={role}>
            <RadioButton>{t(`common.role.${role}`)}</RadioButton>
          </RadioField>
        ))}
      </RadioGroup>
      <Button type="submit" variant="primary">
        {t("signIn.go")}
      </Button>
    </Form>
  );
}
