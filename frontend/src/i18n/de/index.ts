/** One file per page or room; add a page's texts here. */
import { common } from "./common";
import { draft } from "./draft";
import { drafts } from "./drafts";
import { exports } from "./exports";
import { history } from "./history";
import { keyboard } from "./keyboard";
import { problems } from "./problems";
import { signIn } from "./signIn";

export const texts = { common, draft, drafts, exports, history, keyboard, problems, signIn };
