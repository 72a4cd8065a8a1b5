import { Button as AriaButton, type ButtonProps } from "react-aria-components/Button";

interface Props extends Omit<ButtonProps, "className"> {
  readonly variant?: "primary" | "danger" | "plain" | "quiet";
}

export function Button({ variant = "plain", ...props }: Props) {
  return <AriaButton {...props} className={`react-aria-Button ${variant}`} />;
}
