/** One of several, or none. */
import {
  Button,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
} from "react-aria-components";

interface Option {
  readonly id: string;
  readonly text: string;
}

interface Props {
  readonly label: string;
  readonly options: readonly Option[];
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined) => void;
  /** What "none of them" is called; without it one has to be chosen. */
  readonly none?: string;
}

const NONE = "";

export function Choice({ label, options, value, onChange, none }: Props) {
  const all = none === undefined ? options : [{ id: NONE, text: none }, ...options];
  return (
    <Select
      value={value ?? NONE}
      onChange={(chosen) => {
        onChange(chosen === NONE || chosen === null ? undefined : String(chosen));
      }}
    >
      <Label>{label}</Label>
      <Button>
        <SelectValue />
        <span aria-hidden className="arrow" />
      </Button>
      <Popover>
        <ListBox>
          {all.map((each) => (
            <ListBoxItem key={each.id} id={each.id} textValue={each.text}>
              {each.text}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  );
}
