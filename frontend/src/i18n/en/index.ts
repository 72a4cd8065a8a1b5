/** One file per page or room; add a page's texts here. */
import { act } from "./act";
import { common } from "./common";
import { connections } from "./connections";
import { draft } from "./draft";
import { drafts } from "./drafts";
import { edit } from "./edit";
import { exports } from "./exports";
import { history } from "./history";
import { keyboard } from "./keyboard";
import { overview } from "./overview";
import { problems } from "./problems";
import { signIn } from "./signIn";

export const texts = {
  act,
  common,
  connections,
  draft,
  drafts,
  edit,
  exports,
  history,
  keyboard,
  overview,
  problems,
  signIn,
};
