/** Puts what the server found malformed beside the field that it is about. Pure. */
import type { FieldProblemReply } from "../../api/schema";

export interface Placed {
  /** By the field's name. */
  readonly beside: Record<string, string>;
  /** What no field of the form stands for. */
  readonly others: readonly FieldProblemReply[];
}

/** `config.host_keys[0]` and `config.headers.Host` belong to the field that they begin with. */
export function placed(errors: readonly FieldProblemReply[], names: readonly string[]): Placed {
  const beside: Record<string, string> = {};
  const others: FieldProblemReply[] = [];
  for (const error of errors) {
    const name = names.find((each) => isWithin(error.field, each));
    if (name === undefined) others.push(error);
    else
      beside[name] = [beside[name], error.detail].filter((each) => each !== undefined).join("; ");
  }
  return { beside, others };
}

function isWithin(field: string, name: string): boolean {
  return field === name || field.startsWith(`${name}.`) || field.startsWith(`${name}[`);
}
