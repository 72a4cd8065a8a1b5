/** A field for text of one line or several, with what is wrong with it and what it is for. */
import { FieldError, Input, Label, Text, TextArea, TextField } from "react-aria-components";

interface Props {
  /** Its path in the request: refusals find their field by it. */
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly required?: boolean;
  readonly help?: string;
  readonly rows?: number;
  readonly numeric?: boolean;
  /** Never shown in clear, never remembered by the browser. */
  readonly secret?: boolean;
}

export function TextEntry(props: Props) {
  const { name, label, value, onChange, required = false, help = "", secret = false } = props;
  return (
    <TextField
      name={name}
      value={value}
      onChange={onChange}
      isRequired={required}
      autoComplete={secret ? "new-password" : "off"}
      {...(secret && props.rows === undefined ? { type: "password" } : {})}
      {...(props.numeric === true ? { inputMode: "decimal" } : {})}
    >
      <Label>{label}</Label>
      {props.rows === undefined ? (
        <Input />
      ) : (
        <TextArea
          rows={props.rows}
          spellCheck="false"
          className={`react-aria-TextArea ${secret ? "concealed" : ""}`}
        />
      )}
      {help !== "" && (
        <Text slot="description" className="muted">
          {help}
        </Text>
      )}
      <FieldError />
    </TextField>
  );
}
