/** One file per page or room; add a page's texts here. */
import { common } from "./common";
import { drafts } from "./drafts";
import { keyboard } from "./keyboard";
import { problems } from "./problems";
import { signIn } from "./signIn";

export const texts = { common, drafts, keyboard, problems, signIn };
