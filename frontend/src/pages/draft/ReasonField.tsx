/** Why: required, and kept on record. */
import { FieldError, Label, Text, TextArea, TextField } from "react-aria-components";
import { useTranslation } from "react-i18next";

const LONGEST = 2000;

interface Props {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function ReasonField({ value, onChange }: Props) {
  const { t } = useTranslation();
  return (
    <TextField
      value={value}
      onChange={onChange}
      isRequired
      // The dialog asks for nothing else.
      // eslint-disable-next-line jsx-a11y/no-autofocus
      autoFocus
      maxLength={LONGEST}
      validationBehavior="aria"
    >
      <Label>{t("act.reason")}</Label>
      <TextArea rows={3} />
      <Text slot="description" className="muted">
        {t("act.reasonHint")}
      </Text>
      <FieldError />
    </TextField>
  );
}
